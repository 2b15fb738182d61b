/* The timeline: a click on a post picks it and draws lines to what it waits for; the empty track pans; forms open in a dialog.
   Moving posts is calendar.js's. Without this file everything can be read, and picked from the lists below the lanes. */
(() => {
  "use strict";
  const $ = (selector, root = document) => root.querySelector(selector);
  const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
  const cal = () => $("#cal[data-view^=tl-]");
  const byKey = (key) => cal()?.querySelector(`.tl [data-ev="${CSS.escape(key)}"]`);
  const rtl = () => document.documentElement.dir === "rtl";

  /* ---- lines of the picked post ---- */
  function draw() {
    const panel = $("#tl-picked"), svg = $(".tl-lines");
    if (!svg) return;
    svg.replaceChildren();
    for (const event of $$(".tl .ev.tied")) event.classList.remove("tied");
    if (!panel) return;
    const base = svg.getBoundingClientRect();
    if (!base.width) return;
    for (const line of $$("[data-line]", panel)) {
      const [from, to] = [byKey(line.dataset.from), byKey(line.dataset.to)];
      if (!from || !to) continue;
      const [a, b] = [from.getBoundingClientRect(), to.getBoundingClientRect()];
      const early = to.dataset.at <= from.dataset.at;
      const x1 = (rtl() ? a.left : a.right) - base.left, x2 = (rtl() ? b.right : b.left) - base.left;
      const y1 = a.top + a.height / 2 - base.top, y2 = b.top + b.height / 2 - base.top;
      const bend = Math.max(24, Math.abs(x2 - x1) / 2) * (rtl() ? -1 : 1);
      svg.append(shape("path", { d: `M${x1} ${y1}C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}` }, early), shape("circle", { cx: x2, cy: y2, r: 4 }, early));
      for (const end of [from, to]) if (end.dataset.ev !== panel.dataset.picked) end.classList.add("tied");
    }
  }
  function shape(name, values, early) {
    const made = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(values)) made.setAttribute(key, value);
    if (early) made.setAttribute("class", "bad");
    return made;
  }

  /* ---- picking: the address says which post; what is pressed with a modifier is left to the browser ---- */
  function pick(key) {
    const url = new URL(location.href);
    url.searchParams.set("picked", key);
    wanted = key;
    htmx.ajax("GET", url.pathname + url.search, { source: "#cal", target: "#cal", swap: "outerHTML" }).then(() => history.replaceState(history.state, "", url));
  }
  let wanted = "";
  /* before calendar.js, whose click on a post opens the preview; after a drag it has taken the click already */
  document.addEventListener("click", (event) => {
    const at = event.target.closest?.("#cal[data-view^=tl-] .tl .ev[data-ev]");
    if (!at || event.defaultPrevented || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey || event.button) return;
    event.preventDefault();
    event.stopPropagation();
    for (const menu of $$("details.menu[open]")) menu.open = false;
    const peek = $("#peek:popover-open");
    if (peek) peek.hidePopover();
    pick(at.dataset.ev);
  }, true);

  /* ---- panning the empty track with the mouse; a finger scrolls by itself ---- */
  let pan = null;
  document.addEventListener("pointerdown", (event) => {
    const track = event.target.closest?.(".tl .track, .tl .axis");
    if (!track || event.button || event.pointerType !== "mouse" || event.target.closest("a,button")) return;
    const box = track.closest(".tl");
    pan = { box, x: event.clientX, y: event.clientY, left: box.scrollLeft, top: box.scrollTop };
  });
  document.addEventListener("pointermove", (event) => {
    if (!pan) return;
    pan.box.classList.add("pan");
    pan.box.scrollLeft = pan.left - (event.clientX - pan.x);
    pan.box.scrollTop = pan.top - (event.clientY - pan.y);
  });
  for (const name of ["pointerup", "pointercancel"]) document.addEventListener(name, () => { pan?.box.classList.remove("pan"); pan = null; });

  /* ---- where to look first: the picked post, else now, else the first post of the morning ---- */
  let place = null;
  function look() {
    const box = $(".tl");
    if (!box) return;
    const head = $(".tl-head .lh", box)?.offsetWidth || 0;
    const picked = $(".ev.picked", box), now = $(".axis .now", box);
    if (place) { box.scrollLeft = place.left; box.scrollTop = place.top; }
    else if (picked || now) {
      const at = (picked || now).getBoundingClientRect(), view = box.getBoundingClientRect();
      const off = rtl() ? view.right - head - at.right - 120 : at.left - view.left - head - 120;
      box.scrollLeft += rtl() ? -off : off;
    }
    place = null;
    draw();
  }
  document.addEventListener("htmx:beforeSwap", (event) => {
    const box = $(".tl"), next = event.detail.xhr?.responseURL || "";
    if (event.detail.target?.id !== "cal" || !box) return;
    const same = (name) => new URL(next, location.href).searchParams.get(name) === new URL(cal().getAttribute("hx-get"), location.href).searchParams.get(name);
    place = same("zoom") && same("date") ? { left: box.scrollLeft, top: box.scrollTop } : null;
  });
  document.addEventListener("htmx:afterSettle", (event) => {
    if (event.detail.target?.id === "tl-dialog-body") { const dialog = $("#tl-dialog"); if (!dialog.open) dialog.showModal(); $("input:not([type=hidden])", dialog)?.focus(); return; }
    if (!cal()) return;
    if (event.detail.target?.id === "cal") look(); else draw();
    if (!wanted || !byKey(wanted)) return;
    byKey(wanted).focus({ preventScroll: true });
    if (!matchMedia("(min-width: 1101px)").matches) $("#tl-picked")?.scrollIntoView({ block: "start" });
    window.ui?.say($("#tl-picked-h")?.textContent || "");
    wanted = "";
  });
  addEventListener("resize", draw);
  document.addEventListener("click", (event) => { if (event.target.closest("[data-print]")) window.print(); });
  look();
})();
