/* Lists with a box before each job: a range with Shift, the page at once, the one in hand with X, and how many are selected.
   Used by jobs.js and recovery.js; boxes and buttons work without it. */
(() => {
  "use strict";
  const ngettext = window.ngettext || ((one, several, number) => (number === 1 ? one : several));
  const interpolate = window.interpolate || ((text, values) => text.replace(/%\((\w+)\)s/g, (_all, name) => values[name]));
  const isTyping = (target) => target.closest("input:not([type=checkbox],[type=radio]),textarea,select,[contenteditable]");
  /* list: the id of the element that holds the boxes and is swapped as a whole; row: what holds one of them */
  function ticks(list, row) {
    const here = () => document.getElementById(list);
    const boxes = () => [...(here()?.querySelectorAll("input[name=job]") || [])];
    let last = null;
    function count() {
      const place = here()?.querySelector("[data-picked]");
      if (!place) return;
      const all = boxes(), picked = all.filter((box) => box.checked).length, page = here().querySelector("[data-pick-page]");
      const every = here().querySelector("[name=all]").checked;
      place.textContent = picked && !every ? interpolate(ngettext("%(n)s selected", "%(n)s selected", picked), { n: picked }, true) : "";
      page.checked = picked > 0 && picked === all.length;
      page.indeterminate = picked > 0 && picked < all.length;
    }
    document.addEventListener("click", (event) => {
      const box = event.target, all = boxes();
      if (!all.includes(box)) return;
      if (event.shiftKey && last && all.includes(last)) {
        const [from, to] = [all.indexOf(last), all.indexOf(box)].sort((a, b) => a - b);
        for (const one of all.slice(from, to + 1)) one.checked = box.checked;
      }
      last = box;
      count();
    });
    document.addEventListener("change", (event) => {
      if (!here()?.contains(event.target)) return;
      if (event.target.matches("[data-pick-page]")) for (const box of boxes()) box.checked = event.target.checked;
      count();
    });
    /* keys of one row: { x: what to press in it } */
    function keys(pressed) {
      document.addEventListener("keydown", (event) => {
        if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey || !window.ui.keysOn() || document.querySelector("dialog[open]")) return;
        const one = here()?.contains(event.target) && event.target.closest(row), selector = pressed[event.key.toLowerCase()];
        if (one && selector && !isTyping(event.target)) one.querySelector(selector)?.click();
      });
    }
    count();
    return { boxes, count, keys };
  }
  window.ticks = ticks;
})();
