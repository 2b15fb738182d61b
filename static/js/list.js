/* The list of schedules: select a range with Shift, a page with Ctrl+A, the row in hand with X; keep the selection when the list
   refreshes itself; go on with a run after a broken connection. Ticks, links and buttons work without this file. */
(() => {
  "use strict";
  const ngettext = window.ngettext || ((one, many, number) => (number === 1 ? one : many));
  const interpolate = window.interpolate || ((text, values) => text.replace(/%\((\w+)\)s/g, (_whole, name) => values[name]));
  const list = () => document.getElementById("schedules");
  const boxes = () => [...(list()?.querySelectorAll("input[name=ids]") ?? [])];
  const isTyping = (target) => target.closest?.("input:not([type=checkbox],[type=radio]),textarea,select,[contenteditable]");
  const picked = new Set();
  let last = "";

  function count() {
    const here = list(), place = here?.querySelector("[data-picked]");
    if (!place) return;
    const all = boxes(), number = all.filter((box) => box.checked).length, page = here.querySelector("[data-pick-page]");
    const everything = here.querySelector("input[name=all]")?.checked;
    place.textContent = everything ? "" : interpolate(ngettext("%(n)s selected", "%(n)s selected", number), { n: number }, true);
    page.checked = number > 0 && number === all.length;
    page.indeterminate = number > 0 && number < all.length;
  }
  function put(box, on) {
    box.checked = on;
    if (on) picked.add(box.value); else picked.delete(box.value);
  }
  function clear() {
    for (const box of boxes()) put(box, false);
    const all = list()?.querySelector("input[name=all]");
    if (all) all.checked = false;
    picked.clear();
    count();
  }
  document.addEventListener("click", (event) => {
    if (event.target.closest?.("[data-unpick]")) { clear(); list().querySelector("[data-pick-page]")?.focus(); return; }
    const box = event.target;
    if (!box.matches?.("input[name=ids]")) return;
    const all = boxes(), from = all.findIndex((one) => one.value === last), to = all.indexOf(box);
    put(box, box.checked);
    if (event.shiftKey && from >= 0) for (const one of all.slice(Math.min(from, to), Math.max(from, to) + 1)) put(one, box.checked);
    last = box.value;
    count();
  });
  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-pick-page]")) for (const box of boxes()) put(box, event.target.checked);
    if (event.target.closest("#schedules")) count();
  });
  let menuWasOpen = false;  // Escape first closes what is open, and only then the selection
  document.addEventListener("keydown", () => { menuWasOpen = Boolean(document.querySelector("details.menu[open]")); }, true);
  document.addEventListener("keydown", (event) => {
    const here = list();
    if (!here) return;
    if (event.key === "Enter" && event.target.dataset?.enter) { event.preventDefault(); here.querySelector(`[name=verb][value=${event.target.dataset.enter}]`).click(); return; }
    if (isTyping(event.target) || document.querySelector("dialog[open]")) return;
    const inside = event.target.closest?.("#schedules");
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "a" && inside && boxes().length) { event.preventDefault(); for (const box of boxes()) put(box, true); count(); return; }
    if (event.key === "Escape" && picked.size && !menuWasOpen) { clear(); return; }
    if (event.ctrlKey || event.metaKey || event.altKey || !window.ui.keysOn() || event.key.toLowerCase() !== "x" || !inside) return;
    const box = event.target.closest("tr")?.querySelector("input[name=ids]");
    if (box) { put(box, !box.checked); last = box.value; count(); }
  });
  document.addEventListener("htmx:afterSettle", () => {
    for (const box of boxes()) if (picked.has(box.value)) box.checked = true;
    count();
  });
  for (const box of boxes()) if (box.checked) picked.add(box.value);  // as the browser remembers them on Back
  addEventListener("pageshow", () => { for (const box of boxes()) if (box.checked) picked.add(box.value); count(); });
  count();

  /* ---- a run: when a step did not come through, try again; when it is over, the focus goes to what can be done then ---- */
  const isRun = (event) => event.detail.elt?.id === "bulk-run";
  const later = (event) => { if (isRun(event)) setTimeout(() => { const run = document.getElementById("bulk-run"); if (run) htmx.trigger(run, "again"); }, 4000); };
  document.addEventListener("htmx:sendError", later);
  document.addEventListener("htmx:responseError", later);
  document.addEventListener("htmx:afterSettle", (event) => {
    if (event.detail.target?.id !== "bulk-run" && event.detail.elt?.id !== "bulk-run") return;
    if (document.activeElement === document.body) document.querySelector("#bulk-continue, #bulk-undo, #bulk-back")?.focus();
  });
})();
