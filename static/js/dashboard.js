/* The dashboard's cards by pointer and by arrow keys. The buttons beside each handle are forms and work without this file. */
(() => {
  "use strict";
  const gettext = window.gettext || ((text) => text);
  const interpolate = window.interpolate || ((text, values) => text.replace(/%\((\w+)\)s/g, (_, name) => values[name]));
  const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
  const tiles = (list) => $$(":scope > [data-card]", list);
  let held = null, spoken = "";

  function send(list, values, tile) {
    spoken = tile.dataset.card;
    return htmx.ajax("POST", list.dataset.arrange, { source: "#today", target: "#today", swap: "outerHTML", values });
  }
  function tell() {
    const tile = document.querySelector(`[data-card="${CSS.escape(spoken)}"]`);
    spoken = "";
    if (!tile) return;
    const all = tiles(tile.parentElement);
    if (document.activeElement === document.body) tile.querySelector("[data-grip]").focus();
    window.ui.say(interpolate(gettext("%(title)s: place %(place)s of %(places)s"), { title: tile.dataset.title, place: all.indexOf(tile) + 1, places: all.length }, true));
  }
  document.addEventListener("htmx:afterSettle", (event) => { if (spoken && event.detail.target?.id === "today") tell(); });
  document.addEventListener("htmx:beforeRequest", (event) => {
    const button = event.detail.requestConfig?.triggeringEvent?.submitter;
    if (button?.closest(".tile-verbs") && button.value !== "hide") spoken = button.closest("[data-card]").dataset.card;
  });

  document.addEventListener("keydown", (event) => {
    if (held && event.key === "Escape") { drop(false); return; }
    const grip = event.target.closest?.("[data-grip]");
    if (!grip || !["ArrowUp", "ArrowDown"].includes(event.key)) return;
    event.preventDefault();
    const tile = grip.closest("[data-card]");
    send(tile.parentElement, { card: tile.dataset.card, do: event.key === "ArrowUp" ? "up" : "down" }, tile);
  });

  /* ---- the pointer: the tile itself goes where it will be, within its own column ---- */
  document.addEventListener("pointerdown", (event) => {
    const grip = event.target.closest("[data-grip]");
    if (!grip || event.button !== 0) return;
    const tile = grip.closest("[data-card]");
    held = { tile, list: tile.parentElement, grip, pointer: event.pointerId, before: tile.nextElementSibling };
    grip.setPointerCapture(event.pointerId);
    tile.classList.add("held");
  });
  document.addEventListener("pointermove", (event) => {
    if (!held || event.pointerId !== held.pointer) return;
    const { tile, list } = held;
    const next = tiles(list).find((other) => other !== tile && event.clientY < other.getBoundingClientRect().top + other.offsetHeight / 2);
    if (next !== tile.nextElementSibling && !(next === undefined && tile === list.lastElementChild)) list.insertBefore(tile, next || null);
  });
  document.addEventListener("pointerup", (event) => { if (held && event.pointerId === held.pointer) drop(true); });
  document.addEventListener("pointercancel", () => { if (held) drop(false); });
  function drop(keep) {
    const { tile, list, grip, before } = held;
    held = null;
    tile.classList.remove("held");
    grip.focus();
    if (!keep) { list.insertBefore(tile, before); return; }
    if (tile.nextElementSibling !== before) send(list, { card: tile.dataset.card, do: "put", before: tile.nextElementSibling?.dataset.card || "" }, tile);
  }
})();
