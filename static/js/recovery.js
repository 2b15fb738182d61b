/* The recovery desk: select a page, select a range with Shift, count what is selected, and tell when the number changes.
   Ticks and buttons work without this file. */
(() => {
  "use strict";
  const ngettext = window.ngettext || ((one, many, number) => (number === 1 ? one : many));
  const interpolate = window.interpolate || ((words, values) => words.replace(/%\((\w+)\)s/g, (_, name) => values[name]));
  const desk = () => document.getElementById("recovery");
  const boxes = () => [...desk().querySelectorAll("input[name=job]")];
  let last = null, acted = false, needing = desk()?.dataset.needing;
  function count() {
    const place = desk()?.querySelector("[data-picked]");
    if (!place) return;
    const all = boxes(), picked = all.filter((box) => box.checked).length, page = desk().querySelector("[data-pick-page]");
    place.textContent = picked && !desk().querySelector("[name=all]").checked ? interpolate(ngettext("%(n)s selected", "%(n)s selected", picked), { n: picked }, true) : "";
    page.checked = picked === all.length;
    page.indeterminate = picked > 0 && picked < all.length;
  }
  document.addEventListener("click", (event) => {
    const box = event.target;
    if (!box.matches?.("#recovery input[name=job]")) return;
    const all = boxes();
    if (event.shiftKey && last && all.includes(last)) {
      const [from, to] = [all.indexOf(last), all.indexOf(box)].sort((a, b) => a - b);
      for (const one of all.slice(from, to + 1)) one.checked = box.checked;
    }
    last = box;
    count();
  });
  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-pick-page]")) for (const box of boxes()) box.checked = event.target.checked;
    if (event.target.closest("#recovery")) count();
  });
  /* htmx puts the focus back by id; the button of a row that has left is gone, so the list's heading takes it */
  document.addEventListener("htmx:beforeRequest", (event) => { acted = event.detail.requestConfig.verb === "post"; });
  document.addEventListener("htmx:afterSettle", (event) => {
    const here = desk();
    if (!here || event.detail.target?.id !== "recovery") return;
    if (acted && document.activeElement === document.body) document.getElementById("desk-title").focus();
    acted = false;
    count();
    if (here.dataset.needing === needing) return;
    needing = here.dataset.needing;
    document.title = document.title.replace(/^[^·]*/, `${here.dataset.title} `);
    window.ui.say(here.querySelector("#desk-title").textContent);
    badge(Number(needing));
  });
  function badge(number) {
    const link = document.querySelector("#rail a[data-place=recovery]");
    if (!link) return;
    const mark = link.querySelector(".count") || link.appendChild(document.createElement("em"));
    mark.className = "count bad";
    mark.hidden = !number;
    mark.firstChild ? (mark.firstChild.textContent = String(number)) : (mark.textContent = String(number));
  }
  count();
})();
