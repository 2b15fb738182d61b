/* Everything that moves on the calendar and the timeline: drag (mouse, pen, touch by long press), the same by keyboard, the Move
   dialog, the preview, the day's drawer, the picture of the view. One listener a kind on the document: events carry data-*, no
   hx-*. Wall-clock times are calculated as if they were UTC, so that the browser's own zone has no say; the server knows the zone. */
(() => {
  "use strict";
  const gettext = window.gettext || ((text) => text);
  const interpolate = window.interpolate || ((text, values) => text.replace(/%\((\w+)\)s/g, (_all, name) => values[name]));
  const $ = (selector, root = document) => root.querySelector(selector);
  const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
  const html = document.documentElement;
  const root = () => $("#cal");
  const isRtl = () => getComputedStyle(root() || html).direction === "rtl";
  const say = (text) => window.ui?.say(text);
  const LONG_PRESS = 350, HOVER = 250, FOCUS = 600, LEAVE = 250, ASK = 180;
  const DAY = 1440, NO_TIME = "T09:00";

  /* ---- wall-clock times, written as 2026-12-11T09:00 ---- */
  const wall = (text) => new Date(`${text.slice(0, 16)}:00Z`);
  const iso = (date) => date.toISOString().slice(0, 16);
  const add = (text, minutes) => iso(new Date(+wall(text) + minutes * 60000));
  const words = (text, parts) => new Intl.DateTimeFormat(html.lang === "en" ? "en-GB" : html.lang || undefined, { timeZone: "UTC", ...parts }).format(wall(text));
  const human = (text) => words(text, { weekday: "short", day: "numeric", month: "short", hour: html.dataset.hours === "h12" ? "numeric" : "2-digit", minute: "2-digit", hourCycle: html.dataset.hours || "h23" });

  /* ---- what is moved: read from an event's link, or from the preview that stands for it ---- */
  const address = (ev, verb = "") => new URL(ev.getAttribute("href") || ev.dataset.href, location.href).pathname + verb;
  const label = (ev) => $(".t", ev)?.textContent.trim() || "";
  const startOf = (ev) => ev.dataset.at || `${root()?.dataset.anchor || iso(new Date()).slice(0, 10)}${NO_TIME}`;
  const byKey = (key) => key && ($(`#cal .ev[data-ev="${CSS.escape(key)}"]`) || $(`.ev[data-ev="${CSS.escape(key)}"]`));
  const mayOnlyRead = () => Boolean(root()?.hasAttribute("data-reads"));
  const isFixed = (ev) => ev.hasAttribute("data-fixed") || mayOnlyRead();
  const whyFixed = () => (mayOnlyRead() ? gettext("You may look at the posts here, but not move them.") : gettext("It is out or going out: it stays where it is."));

  /* ---- the move itself: the answer holds the cells that changed, and says what happened ---- */
  let lastMove = 0, waiting = null;
  function move(ev, at, scope = "") {
    if (ev.dataset.ev.startsWith("d")) { compose(ev, at); return; }
    if (ev.hasAttribute("data-rec") && !scope) { askScope(ev, at); return; }
    const { view = "", anchor = "", q = "" } = root()?.dataset || {};
    waiting = { ev, at };
    if ($("#drawer")?.open) $("#drawer").close();
    lastMove = performance.now();
    request("POST", address(ev, "move/"), { at, version: ev.dataset.v, scope, was: ev.dataset.at || "", view, anchor, q }, "none");
  }
  /* a draft of the composer has no time of its own yet: the composer takes it */
  function compose(ev, at) { const url = new URL(ev.href); url.searchParams.set("at", at); location.assign(url); }
  /* each request has a source of its own: htmx lets an element have one request at a time and would drop the earlier of two */
  function request(verb, url, values, swap, target) {
    const source = document.createElement("div");
    source.hidden = true;
    document.body.append(source);
    return htmx.ajax(verb, url, { source, target: target || source, swap, values }).catch(() => {}).finally(() => source.remove());
  }
  document.addEventListener("moved", (event) => {
    const { key, at, whole } = event.detail;
    lastMove = performance.now();
    settleOn(key, at);
    if (whole) refresh();
  });
  document.addEventListener("unmoved", (event) => settleOn(event.detail.key, ""));
  document.addEventListener("needsscope", () => waiting && askScope(waiting.ev, waiting.at));
  function settleOn(key, at) {
    const ev = byKey(key);
    const place = ev || (at && $(`#cal [data-drop="${at.slice(0, 10)}"] a, #cal [data-hour="${at.slice(0, 13)}"] a`)) || root();
    if (place === root()) place?.setAttribute("tabindex", "-1");
    focusOn(place);
    if (!at) return;
    ev?.classList.add("just");
    setTimeout(() => ev?.classList.remove("just"), 1600);
  }
  /* a move of one time changes the version that its siblings are shown with */
  function refresh() { const part = $("[data-live]"); if (part) htmx.trigger(part, "refresh"); }
  let quietly = false;
  function focusOn(el) {
    if (!el) return;
    quietly = true; el.focus({ preventScroll: true }); quietly = false;
    el.scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  /* ---- the live part stands still while something is held, and an answer from before a move is not shown after it ---- */
  const isBusy = () => Boolean(drag || held || (isOpen() && peek().contains(document.activeElement)));
  document.addEventListener("htmx:beforeRequest", (event) => {
    if (!event.detail.elt.matches("[data-live]") || event.detail.requestConfig.verb !== "get") return;
    if (isBusy()) { event.preventDefault(); return; }
    event.detail.xhr.begunAt = performance.now();
  });
  document.addEventListener("htmx:beforeSwap", (event) => {
    const begun = event.detail.xhr.begunAt;
    if (begun !== undefined && (isBusy() || begun < lastMove)) event.detail.shouldSwap = false;
    focused = document.activeElement?.closest("#cal .ev[data-ev]")?.dataset.ev || focused;
  });
  /* an event that had the focus before a swap has it after */
  let focused = "";
  document.addEventListener("htmx:afterSettle", () => {
    if (focused && document.activeElement === document.body) { quietly = true; byKey(focused)?.focus({ preventScroll: true }); quietly = false; }
    focused = "";
    if (shown && !shown.isConnected && !byKey(shown.dataset.ev)) hide();
    if (wantsBox) { const ev = byKey(wantsBox), key = wantsBox; wantsBox = ""; if (ev && boxOf(ev)) { boxOf(ev).click(); focusOn(byKey(key)); } }
  });

  /* ---- is that time free? Asked once for each time, and spoken of before the drop ---- */
  const answers = new Map();
  async function check(ev, at) {
    const url = `${address(ev, "check/")}?at=${at}`;
    if (!answers.has(url)) answers.set(url, fetch(url, { headers: { Accept: "application/json" } }).then((answer) => (answer.ok ? answer.json() : null), () => null));
    return answers.get(url);
  }
  const forget = () => answers.clear();
  const notes = (found) => (found ? [found.no, found.note, found.conflict].filter(Boolean) : []);

  /* ---- where does a point land? { el, at } or { el, no: why it cannot be there } or null ---- */
  function landing(x, y, ev, grabX) {
    const at = startOf(ev);
    for (const el of document.elementsFromPoint(x, y)) {
      if (!el.closest("#cal")) continue;
      if (el.matches(".track:not([data-track])")) return { el, no: byAccount() };
      const places = "[data-hour*='T'], [data-drop], [data-track]";
      const place = el.closest(places) || (el.matches("td") && $(places, el));  // a cell may be higher than what is in it
      if (!place) continue;
      if (place.dataset.track && place.dataset.track !== ev.dataset.acc) return { el: place, no: gettext("That is another account: edit the post to publish it there.") };
      if (isOtherColumn(place, ev)) return { el: place, no: gettext("A post stays with its account: drop it in its own column.") };
      if (place.dataset.hour) return { el: place, at: place.dataset.hour.slice(0, 13) + at.slice(13, 16) };
      if (place.dataset.drop) return { el: place, at: place.dataset.drop + at.slice(10, 16) };
      return { el: place, at: onTrack(place, x, grabX) };
    }
    return null;
  }
  const byAccount = () => gettext("Group by account to move posts on the timeline.");
  /* the columns of a day are platforms or accounts */
  function isOtherColumn(place, ev) {
    const from = ev.closest("#cal td"), to = place.closest("td");
    return root().dataset.view === "day" && from && to && from.cellIndex !== to.cellIndex;
  }
  function onTrack(track, x, grabX) {
    const box = track.getBoundingClientRect(), { start, slot, slots } = root().dataset;
    const column = parseFloat(getComputedStyle(track).gridTemplateColumns) || box.width / slots;
    const offset = getComputedStyle(track).direction === "rtl" ? box.right - x - grabX : x - grabX - box.left;
    const step = trackStep(), last = slots * slot - step;
    return add(start, Math.max(0, Math.min(last, Math.round(((offset / column) * slot) / step) * step)));
  }
  const trackStep = () => Math.min(60, Math.max(15, Number(root().dataset.slot)));

  /* ---- drag by pointer ---- */
  let drag = null, suppress = false;
  document.addEventListener("pointerdown", (event) => {
    const ev = event.target.closest(".ev[data-ev]");
    if (!ev || event.button || isFixed(ev) || drag || !ev.closest("#cal,#drawer,#tray")) return;
    const box = ev.getBoundingClientRect();
    const grabX = isRtl() ? box.right - event.clientX : event.clientX - box.left;
    drag = { ev, id: event.pointerId, x: event.clientX, y: event.clientY, fromX: event.clientX, fromY: event.clientY, grabX, touch: event.pointerType === "touch", on: false };
    if (drag.touch) drag.timer = setTimeout(() => drag && begin(), LONG_PRESS);
  });
  function begin() {
    drag.on = true; forget(); hide(); putDown();
    if (drag.touch) navigator.vibrate?.(10);
    drag.ev.classList.add("drag");
    const look = [...drag.ev.classList].filter((name) => name.startsWith("s-")).join(" ");
    drag.ghost = document.createElement("div");
    drag.ghost.className = `ev drag-ghost ${look}`;
    drag.ghost.setAttribute("aria-hidden", "true");
    drag.ghost.append(...[...drag.ev.childNodes].map((node) => node.cloneNode(true)));
    drag.to = document.createElement("span");
    drag.ghost.append(drag.to);
    document.body.append(drag.ghost);
    html.classList.add("dragging");
    drag.ev.closest("dialog")?.close();
    drag.moved = true;
    requestAnimationFrame(frame);
  }
  function frame() {
    if (!drag?.on) return;
    if (scrollAtEdge(drag.x, drag.y) || drag.moved) paint();
    requestAnimationFrame(frame);
  }
  function paint() {
    drag.moved = false;
    const found = landing(drag.x, drag.y, drag.ev, drag.grabX);
    placeGhost();
    if (drag.over !== found?.el) { drag.over?.classList.remove("over"); drag.over = found?.el; }
    drag.over?.classList.toggle("over", Boolean(found?.at));
    if (found?.at !== drag.found?.at || found?.no !== drag.found?.no || !drag.to.textContent) tell(found);
    drag.found = found;
  }
  function placeGhost() {
    const { offsetWidth: width, offsetHeight: height } = drag.ghost;
    const left = isRtl() ? drag.x - width - 12 : drag.x + 12;
    drag.ghost.style.transform = `translate(${Math.max(4, Math.min(innerWidth - width - 4, left))}px,${Math.max(4, Math.min(innerHeight - height - 4, drag.y + 12))}px)`;
  }
  function tell(found) {
    const show = (text, mark = "") => { drag.to.className = `to ${mark}`.trim(); drag.to.textContent = text; };
    clearTimeout(drag.asking);
    if (!found) { show(gettext("Drop it on a day.")); return; }
    if (found.no) { show(found.no, "no"); return; }
    show(human(found.at));
    if (found.at === drag.ev.dataset.at || drag.ev.dataset.ev.startsWith("d")) return;
    const { ev } = drag;
    drag.asking = setTimeout(async () => {
      const heard = notes(await check(ev, found.at));
      if (drag?.on && drag.found?.at === found.at && heard.length) show([human(found.at), ...heard].join("\n"), "warn");
    }, ASK);
  }
  /* what scrolls under the pointer, and the window, follow it at their edges */
  function scrollAtEdge(x, y) {
    const step = (near, far) => (near < 36 ? -Math.ceil((36 - near) / 3) : far < 36 ? Math.ceil((36 - far) / 3) : 0);
    let scrolled = false;
    for (let el = document.elementFromPoint(x, y)?.closest("#cal *"); el && el !== document.body; el = el.parentElement) {
      if (el.scrollHeight <= el.clientHeight + 1 && el.scrollWidth <= el.clientWidth + 1) continue;
      if (!/(auto|scroll)/.test(getComputedStyle(el).overflow)) continue;
      const box = el.getBoundingClientRect(), { scrollTop, scrollLeft } = el;
      el.scrollTop += step(y - Math.max(box.top, 0), Math.min(box.bottom, innerHeight) - y);
      el.scrollLeft += step(x - Math.max(box.left, 0), Math.min(box.right, innerWidth) - x);
      scrolled ||= el.scrollTop !== scrollTop || el.scrollLeft !== scrollLeft;
    }
    const before = scrollY, bar = $(".top")?.getBoundingClientRect().bottom || 0;
    window.scrollBy(0, step(y - bar, innerHeight - y));
    return scrolled || scrollY !== before;
  }
  document.addEventListener("pointermove", (event) => {
    if (!drag || event.pointerId !== drag.id) return;
    drag.x = event.clientX; drag.y = event.clientY; drag.moved = true;
    if (drag.on) return;
    const distance = Math.hypot(drag.x - drag.fromX, drag.y - drag.fromY);
    if (drag.touch ? distance > 8 : distance < 5) { if (drag.touch) stop(); return; }
    if (!drag.touch) begin();
  });
  function stop() {
    if (!drag) return;
    const { timer, asking, ghost, ev, over } = drag;
    drag = null;
    clearTimeout(timer); clearTimeout(asking);
    ghost?.remove(); ev.classList.remove("drag"); over?.classList.remove("over"); html.classList.remove("dragging");
  }
  document.addEventListener("pointerup", (event) => {
    if (!drag || event.pointerId !== drag.id) return;
    if (!drag.on) { stop(); return; }
    drag.x = event.clientX; drag.y = event.clientY; paint();
    const { ev, found } = drag;
    stop();
    suppress = true; setTimeout(() => { suppress = false; }, 0);
    if (found?.no) { window.ui?.toast(found.no, "error"); return; }
    if (found?.at && found.at !== ev.dataset.at) move(ev, found.at);
  });
  document.addEventListener("pointercancel", (event) => { if (event.pointerId === drag?.id) stop(); });
  // where the page was slow to answer, the browser has begun to scroll and takes the finger: pointercancel comes next
  document.addEventListener("touchmove", (event) => { if (drag?.on && event.cancelable) event.preventDefault(); }, { passive: false });
  document.addEventListener("contextmenu", (event) => { if (drag?.touch) event.preventDefault(); });
  document.addEventListener("dragstart", (event) => { if (drag || elementOf(event.target)?.closest(".ev")) event.preventDefault(); });
  const elementOf = (node) => (node.nodeType === Node.ELEMENT_NODE ? node : node.parentElement);
  document.addEventListener("click", (event) => { if (suppress) { suppress = false; event.preventDefault(); event.stopPropagation(); } }, true);

  /* ---- clicks: an event opens its preview, "+n" its day; with a modifier the link is a link ---- */
  document.addEventListener("click", (event) => {
    const at = event.target, plain = !(event.ctrlKey || event.metaKey || event.shiftKey || event.altKey);
    const ev = at.closest(".ev[data-ev]"), more = at.closest(".more[data-day]");
    const opener = at.closest("[data-move]"), slot = at.closest("[data-to]"), png = at.closest("[data-png]");
    if (ev && plain && !ev.dataset.ev.startsWith("d")) { event.preventDefault(); show(ev, true); return; }
    if (more && plain && $("#drawer")) { event.preventDefault(); openDay(more); return; }
    if (opener) { event.preventDefault(); const subject = subjectOf(opener); hide(true); openMove(subject); return; }
    if (slot && slot.closest("#peek")) { event.preventDefault(); const subject = subjectOf(slot); hide(true); move(subject, slot.dataset.to); return; }
    if (png) { event.preventDefault(); savePicture(png); return; }
    if (at.closest("[data-peek-close]")) { hide(true); return; }
    if (!at.closest("#peek")) hide();
  });
  const subjectOf = (el) => { const card = el.closest("[data-href][data-ev]"); return byKey(card.dataset.ev) || card; };
  function openDay(more) {
    const drawer = $("#drawer");
    request("GET", more.getAttribute("href"), {}, "innerHTML", drawer).then(() => { if (!drawer.open && drawer.childElementCount) drawer.showModal(); });
  }

  /* ---- the preview: by pointer, by focus, or pinned by a click; it can be hovered, and Escape closes it (WCAG 1.4.13) ---- */
  const peek = () => $("#peek");
  const isOpen = () => Boolean(peek()?.matches(":popover-open"));
  let showing = null, shown = null, leaving = null, pinned = false, turn = 0;
  async function show(ev, pin) {
    clearTimeout(showing); clearTimeout(leaving);
    shown = ev;
    const mine = ++turn;
    const answer = await fetch(address(ev), { headers: { "HX-Request": "true", "HX-Current-URL": location.href } }).catch(() => null);
    if (mine !== turn || drag?.on) return;
    if (!answer?.ok || answer.status === 204) { if (pin) location.assign(ev.href); return; }
    const text = await answer.text(), card = peek();
    if (mine !== turn || drag?.on || !card) return;
    pinned = pin;
    card.innerHTML = text;
    if (!isOpen()) card.showPopover();
    placeBeside(card, ev.isConnected ? ev : byKey(ev.dataset.ev) || ev);
    if (pin) ($("[data-first]", card) || $("a,button", card))?.focus({ preventScroll: true });
  }
  function placeBeside(card, ev) {
    const box = ev.getBoundingClientRect(), width = card.offsetWidth, height = card.offsetHeight;
    const end = box.right + 8 + width < innerWidth, start = box.left - 8 - width > 0;
    const left = (isRtl() ? start : !end) && start ? box.left - width - 8 : end ? box.right + 8 : (innerWidth - width) / 2;
    const beside = end || start, below = box.bottom + 8 + height < innerHeight;
    const top = beside ? box.top : below ? box.bottom + 8 : box.top - height - 8;
    card.style.left = `${Math.max(8, Math.min(innerWidth - width - 8, left))}px`;
    card.style.top = `${Math.max(8, Math.min(innerHeight - height - 8, top))}px`;
  }
  document.addEventListener("toggle", (event) => { if (event.target.id === "peek" && event.newState === "closed" && !isOpen()) { shown = null; pinned = false; } }, true);
  document.addEventListener("scroll", () => { if (isOpen() && !pinned) hide(); }, { capture: true, passive: true });
  function hide(back = false) {
    clearTimeout(showing); clearTimeout(leaving);
    const card = peek(), ev = shown;
    shown = null; pinned = false; turn += 1;
    if (!isOpen()) return;
    card.hidePopover();
    card.replaceChildren();
    if (back && ev) focusOn(ev.isConnected ? ev : byKey(ev.dataset.ev));
  }
  document.addEventListener("pointerover", (event) => {
    if (drag || held || event.pointerType === "touch") return;
    const ev = event.target.closest(".ev[data-ev]");
    if (event.target.closest("#peek")) { clearTimeout(leaving); return; }
    clearTimeout(showing);
    if (ev && ev !== shown && !pinned && !ev.dataset.ev.startsWith("d")) { clearTimeout(leaving); showing = setTimeout(() => show(ev, false), HOVER); }
    else if (ev) clearTimeout(leaving);
    else if (shown && !pinned) { clearTimeout(leaving); leaving = setTimeout(() => hide(), LEAVE); }
  });
  document.addEventListener("focusin", (event) => {
    const ev = event.target.closest?.(".ev[data-ev]");
    if (event.target.closest?.("#peek")) { clearTimeout(leaving); return; }
    if (pinned || (shown && shown !== ev)) hide();
    if (!ev || quietly || held || drag || ev.dataset.ev.startsWith("d") || !ev.matches(":focus-visible")) return;
    clearTimeout(showing);
    showing = setTimeout(() => { if (document.activeElement === ev && !held) show(ev, false); }, FOCUS);
  });
  /* the verbs of the preview are plain forms; with script their answer comes into the page */
  document.addEventListener("submit", (event) => {
    const form = event.target.closest("#peek form[data-verb]");
    if (!form) return;
    event.preventDefault();
    hide(true);
    act(form);
  });
  function act(form) {
    const part = $("[data-live]"), values = Object.fromEntries(new FormData(form));
    values.next = location.pathname + location.search;
    lastMove = performance.now();
    request("POST", form.getAttribute("action"), values, part ? "outerHTML" : "none", part);
  }
  async function verb(ev, name) {
    const answer = await fetch(address(ev), { headers: { "HX-Request": "true", "HX-Current-URL": location.href } }).catch(() => null);
    if (!answer?.ok) return;
    const found = $(`[data-verb="${name}"]`, new DOMParser().parseFromString(await answer.text(), "text/html"));
    if (!found) say(gettext("That cannot be done with this post."));
    else if (found instanceof HTMLFormElement) act(found);
    else location.assign(found.getAttribute("href"));
  }

  /* ---- by keyboard: M picks up, arrows move, Enter drops, Escape cancels; Shift+M opens the dialog ---- */
  let held = null;
  const isTyping = (at) => at.closest?.("input:not([type=checkbox],[type=radio]),textarea,select,[contenteditable]");
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && escape(event)) return;
    if (held) { steer(event); return; }
    if (isOpen() && event.key === "Tab" && event.target.closest("#peek")) { leavePeek(event); return; }
    if (event.ctrlKey || event.metaKey || event.altKey || !root() || isTyping(event.target)) return;
    const ev = event.target.closest?.(".ev[data-ev]");
    if (ev && !event.shiftKey && /^Arrow/.test(event.key)) { walk(event, ev); return; }
    if (!window.ui.keysOn() || event.defaultPrevented || isChord(event)) return;
    if (ev && onEvent(event, ev)) { event.preventDefault(); event.stopPropagation(); return; }
    if (!$("dialog[open]") && !event.shiftKey) travel(event);
  });
  /* the second key of "G then J" is the frame's */
  let chordAt = 0;
  function isChord(event) {
    const is = Date.now() - chordAt < 1200;
    chordAt = event.key === "g" ? Date.now() : 0;
    return is;
  }
  function escape(event) {
    if (drag?.on) { stop(); suppress = true; addEventListener("pointerup", () => setTimeout(() => { suppress = false; }, 0), { once: true }); say(gettext("Not moved.")); event.preventDefault(); return true; }
    if (held) { putDown(); say(gettext("Not moved.")); event.preventDefault(); return true; }
    if (!isOpen()) { clearTimeout(showing); return false; }
    hide(peek().contains(document.activeElement));
    event.preventDefault();
    return true;
  }
  function onEvent(event, ev) {
    const key = event.key.toLowerCase();
    if (key === "m" && event.shiftKey) { hide(); openMove(ev); return true; }
    if (event.shiftKey) return false;
    if (key === "m") { pickUp(ev); return true; }
    if (key === "e") { verb(ev, "edit"); return true; }
    if (key === "p") { verb(ev, "hold"); return true; }
    if (key === "r") { verb(ev, "retry"); return true; }
    if (key === "x") return select(ev);
    return false;
  }
  function pickUp(ev) {
    hide();
    if (isFixed(ev)) { say(whyFixed()); return; }
    held = { ev, at: startOf(ev) };
    ev.classList.add("hold");
    ev.closest("dialog")?.close();
    const track = ev.closest("[data-track],.track");
    if (root().dataset.view.startsWith("tl-") && !track?.dataset.track) { held = null; ev.classList.remove("hold"); say(byAccount()); return; }
    say(interpolate(gettext("Picked up “%(title)s”, %(at)s. Arrow keys move it, Enter drops it, Escape puts it back."), { title: label(ev), at: human(held.at) }, true));
  }
  /* minutes that each arrow stands for, in this view */
  function steps(shift) {
    const { view } = root().dataset, fine = shift ? 15 : 60;
    if (view.startsWith("tl-")) return { across: shift ? 15 : trackStep(), down: DAY };
    if (view === "day") return { across: 15, down: fine };
    return view === "week" ? { across: DAY, down: fine } : { across: DAY, down: 7 * DAY };
  }
  function steer(event) {
    const { across, down } = steps(event.shiftKey), flip = isRtl() ? -1 : 1;
    const minutes = { ArrowLeft: -across * flip, ArrowRight: across * flip, ArrowUp: -down, ArrowDown: down }[event.key];
    if (minutes) { event.preventDefault(); carry(add(held.at, minutes)); return; }
    if (event.key === "Enter" || event.key === " ") { event.preventDefault(); const { ev, at } = held; putDown(); if (at === ev.dataset.at) say(gettext("Not moved.")); else move(ev, at); return; }
    if (event.key === "Tab") { putDown(); say(gettext("Not moved.")); }
  }
  /* while a post is held, no letter means anything else */
  addEventListener("keydown", (event) => {
    if (held && event.key.length === 1 && event.key !== " " && !event.ctrlKey && !event.metaKey) { event.preventDefault(); event.stopImmediatePropagation(); }
  }, true);
  function carry(at) {
    held.at = at;
    unmark();
    const place = $(`#cal [data-drop="${at.slice(0, 10)}"]`) || $(`#cal [data-hour="${at.slice(0, 13)}"]`) || held.ev.closest("[data-track]");
    place?.classList.add("over");
    place?.scrollIntoView({ block: "nearest", inline: "nearest" });
    const was = at;
    say(human(at));
    clearTimeout(held.asking);
    held.asking = setTimeout(async () => { if (!held) return; const heard = notes(await check(held.ev, was)); if (held?.at === was && heard.length) say([human(was), ...heard].join(". ")); }, 2 * ASK);
  }
  const unmark = () => { for (const el of $$("#cal .over")) el.classList.remove("over"); };
  function putDown() {
    if (!held) return;
    clearTimeout(held.asking);
    held.ev.classList.remove("hold");
    held = null; forget(); unmark();
  }
  document.addEventListener("pointerdown", () => putDown(), true);
  /* the nearest event in the direction of the arrow, as it looks on the screen */
  function walk(event, ev) {
    const from = ev.getBoundingClientRect(), sideways = event.key === "ArrowLeft" || event.key === "ArrowRight";
    const sign = event.key === "ArrowRight" || event.key === "ArrowDown" ? 1 : -1;
    let best = null, least = Infinity;
    for (const other of $$(".ev[data-ev]", ev.closest("#cal,#drawer,#tray") || document)) {
      const to = other.getBoundingClientRect();
      if (other === ev || !to.width) continue;
      const dx = to.left + to.width / 2 - from.left - from.width / 2, dy = to.top + to.height / 2 - from.top - from.height / 2;
      const along = (sideways ? dx : dy) * sign, aside = Math.abs(sideways ? dy : dx);
      if (along < 3 || (sideways && along < from.width / 3)) continue;
      const cost = along + aside * 4;
      if (cost < least) { least = cost; best = other; }
    }
    event.preventDefault();
    if (best) { hide(); best.focus(); }
  }
  function select(ev) {
    const box = boxOf(ev), toggle = $("[data-select]");
    if (!box && !toggle) return false;
    if (!box) { wantsBox = ev.dataset.ev; toggle.click(); return true; }
    box.click();
    say(box.checked ? gettext("Selected.") : gettext("Not selected."));
    return true;
  }
  let wantsBox = "";
  const boxOf = (ev) => ev.parentElement.querySelector("input[type=checkbox]");
  function leavePeek(event) {
    const stops = $$("a[href],button,summary,input:not([type=hidden])", peek()).filter((el) => el.offsetParent || el.getClientRects().length);
    if (event.target !== (event.shiftKey ? stops[0] : stops.at(-1))) return;
    event.preventDefault();
    hide(true);
  }

  /* ---- T, J, K, 1 to 4: the page's own links where it has them, else its address ---- */
  function travel(event) {
    const name = { t: "today", j: "back", k: "forward", 1: "day", 2: "week", 3: "month", 4: "year" }[event.key];
    if (!name) return;
    event.preventDefault();
    const link = $(`a[aria-keyshortcuts="${event.key.toUpperCase()}"]`);
    if (link) { link.click(); return; }
    const url = new URL(location.href), isTimeline = root().dataset.view.startsWith("tl-");
    const view = root().dataset.view.replace("tl-", ""), param = isTimeline ? "zoom" : "view";
    if (name === "today") url.searchParams.delete("date");
    else if (name === "back" || name === "forward") url.searchParams.set("date", turned(root().dataset.anchor, view, name === "back" ? -1 : 1));
    else if (isTimeline && name === "year") return;
    else url.searchParams.set(param, name);
    location.assign(url);
  }
  function turned(anchor, view, sign) {
    const [year, month] = anchor.split("-").map(Number);
    if (view === "year") return `${year + sign}-01-01`;
    if (view === "month") return iso(new Date(Date.UTC(year, month - 1 + sign, 1))).slice(0, 10);
    return add(`${anchor}T00:00`, sign * (view === "week" ? 7 : 1) * DAY).slice(0, 10);
  }

  /* ---- the Move dialog: the way with single clicks (WCAG 2.5.7), and for exact times ---- */
  let asked = 0;
  function openMove(ev) {
    const dialog = $("#movedlg");
    if (!dialog || !ev) return;
    if (isFixed(ev)) { window.ui?.toast(whyFixed(), "error"); return; }
    const form = $("form", dialog), at = startOf(ev);
    [form.elements.day.value, form.elements.time.value] = [at.slice(0, 10), at.slice(11, 16)];
    $("[data-move-title]", dialog).textContent = label(ev);
    $("[data-move-from]", dialog).textContent = human(at);
    dialog.subject = ev;
    forget(); look(dialog);
    dialog.showModal();
    form.elements.day.focus();
  }
  const chosen = (form) => (form.elements.day.value && form.elements.time.value ? `${form.elements.day.value}T${form.elements.time.value}` : "");
  async function look(dialog) {
    const form = $("form", dialog), note = $("[data-move-note]", dialog), list = $("[data-move-free]", dialog), at = chosen(form), turn = ++asked;
    const isSame = !at || at === dialog.subject.dataset.at;
    const found = isSame ? null : await check(dialog.subject, at);
    if (turn !== asked) return;
    const heard = notes(found);
    note.textContent = isSame ? "" : found ? heard.join(" ") || interpolate(gettext("%(at)s: nothing else is near."), { at: found.at }, true) : gettext("This time could not be checked.");
    note.classList.toggle("warn", heard.length > 0);
    list.replaceChildren(...(found?.conflict ? found.free : []).map((free) => {
      const button = document.createElement("button");
      button.type = "button"; button.className = "btn sm"; button.dataset.use = free.at;
      button.textContent = interpolate(gettext("Use %(at)s instead"), { at: free.words }, true);
      return button;
    }));
  }
  document.addEventListener("click", (event) => {
    const button = event.target.closest("#movedlg [data-shift], #movedlg [data-use]");
    if (!button) return;
    const dialog = $("#movedlg"), form = $("form", dialog), now = chosen(form) || startOf(dialog.subject);
    const at = button.dataset.use || add(now, Number(button.dataset.shift));
    [form.elements.day.value, form.elements.time.value] = at.split("T");
    if (button.dataset.use) form.elements.time.focus();
    look(dialog);
    say(human(at));
  });
  document.addEventListener("change", (event) => { if (event.target.closest("#movedlg")) look($("#movedlg")); });
  document.addEventListener("submit", (event) => {
    const dialog = event.target.closest("#movedlg, #scopedlg");
    if (!dialog) return;
    event.preventDefault();
    dialog.close();
    const ev = byKey(dialog.subject.dataset.ev) || dialog.subject;
    if (dialog.id === "scopedlg") { move(ev, dialog.at, event.submitter?.value || "one"); return; }
    const at = chosen(event.target);
    if (at && at !== ev.dataset.at) move(ev, at);
  });
  function askScope(ev, at) {
    const dialog = $("#scopedlg");
    if (!dialog) { move(ev, at, "one"); return; }
    dialog.subject = ev; dialog.at = at;
    $("[data-scope-title]", dialog).textContent = label(ev);
    $("[data-scope-to]", dialog).textContent = interpolate(gettext("%(old)s → %(new)s"), { old: human(startOf(ev)), new: human(at) }, true);
    dialog.showModal();
  }

  /* ---- the picture of the view: its nodes with their computed looks, drawn by the browser itself into a PNG ---- */
  const LOOKS = ["align-items", "align-content", "align-self", "background-color", "background-image", "background-size", "border-block-end", "border-block-start", "border-inline-end", "border-inline-start", "border-collapse", "border-spacing", "border-radius", "bottom", "box-shadow", "box-sizing", "clip-path", "color", "column-gap", "cursor", "direction", "display", "fill", "flex-basis", "flex-direction", "flex-grow", "flex-shrink", "flex-wrap", "font-family", "font-size", "font-style", "font-variant-numeric", "font-weight", "gap", "grid-auto-rows", "grid-column-end", "grid-column-start", "grid-row-end", "grid-row-start", "grid-template-columns", "grid-template-rows", "height", "justify-content", "justify-items", "left", "letter-spacing", "line-height", "list-style", "margin", "min-height", "min-width", "opacity", "outline", "outline-offset", "overflow", "overflow-wrap", "padding", "place-items", "position", "right", "row-gap", "stroke", "stroke-linecap", "stroke-linejoin", "stroke-width", "table-layout", "text-align", "text-decoration", "text-overflow", "text-transform", "top", "transform", "vertical-align", "visibility", "white-space", "width", "writing-mode"];
  async function savePicture(button) {
    const source = root();
    if (!source) return;
    button.setAttribute("aria-busy", "true");
    try {
      const canvas = await drawn(source);
      const blob = await new Promise((done) => canvas.toBlob(done, "image/png"));
      const link = document.createElement("a");
      link.href = URL.createObjectURL(blob);
      link.download = `${source.dataset.view}-${source.dataset.anchor}.png`;
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 10000);
      say(gettext("The picture is saved."));
    } catch (error) {
      console.info(error);
      window.ui?.toast(gettext("The picture could not be made. Print the page to a PDF instead."), "error");
    } finally { button.removeAttribute("aria-busy"); }
  }
  async function drawn(source) {
    const { copy, width, height } = likeness(source);
    await placeIcons(copy);
    const page = getComputedStyle(document.body), head = 44, pad = 16;
    const text = new XMLSerializer().serializeToString(copy);
    const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}"><foreignObject width="100%" height="100%">${text}</foreignObject></svg>`;
    const image = new Image();
    image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svg)}`;
    await image.decode();
    const canvas = document.createElement("canvas");
    const scale = Math.min(2, 12000 / width, 12000 / height);
    canvas.width = Math.ceil((width + 2 * pad) * scale); canvas.height = Math.ceil((height + head + pad) * scale);
    const pen = canvas.getContext("2d");
    pen.scale(scale, scale);
    pen.fillStyle = page.backgroundColor; pen.fillRect(0, 0, width + 2 * pad, height + head + pad);
    pen.fillStyle = page.color; pen.font = `650 18px ${page.fontFamily}`; pen.direction = page.direction; pen.textAlign = "start";
    pen.fillText($("h1")?.firstChild?.textContent.trim() || "", page.direction === "rtl" ? width + pad : pad, 29);
    pen.drawImage(image, pad, head);
    return canvas;
  }
  /* a copy with every look written onto it; what scrolls is opened, what sticks is put down */
  function likeness(source) {
    const copy = source.cloneNode(true), from = [source, ...$$("*", source)], to = [copy, ...$$("*", copy)];
    let width = source.scrollWidth, height = source.offsetHeight;
    from.forEach((el, place) => {
      const seen = getComputedStyle(el), made = to[place];
      for (const name of LOOKS) made.style.setProperty(name, seen.getPropertyValue(name));
      made.style.setProperty("transition", "none");
      if (/(auto|scroll)/.test(seen.overflow)) {
        width = Math.max(width, el.scrollWidth + 2); height += el.scrollHeight - el.clientHeight;
        for (const [name, value] of [["overflow", "visible"], ["height", "auto"], ["width", `${el.scrollWidth}px`]]) made.style.setProperty(name, value);
      }
      if (seen.position === "sticky") made.style.setProperty("position", "static");
    });
    copy.setAttribute("xmlns", "http://www.w3.org/1999/xhtml");
    copy.style.setProperty("margin", "0"); copy.style.setProperty("width", `${width}px`); copy.style.setProperty("height", "auto");
    for (const el of $$(".vh,[hidden],input,.drag-ghost", copy)) el.remove();
    return { copy, width, height };
  }
  async function placeIcons(copy) {
    const uses = $$("use", copy);
    if (!uses.length) return;
    const sprite = new DOMParser().parseFromString(await (await fetch(uses[0].getAttribute("href").split("#")[0])).text(), "image/svg+xml");
    for (const use of uses) {
      const symbol = sprite.getElementById(use.getAttribute("href").split("#")[1]);
      if (!symbol) { use.remove(); continue; }
      const picture = use.parentElement;
      for (const { name, value } of symbol.attributes) if (/^(fill|stroke)/.test(name)) picture.style.setProperty(name, value);
      picture.setAttribute("viewBox", symbol.getAttribute("viewBox"));
      use.replaceWith(...[...symbol.childNodes].map((node) => document.importNode(node, true)));
    }
  }
})();
