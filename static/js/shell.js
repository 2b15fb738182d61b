/* Behaviour of the frame: palette, menus, toasts, keys, live parts, copy buttons, leave guard.
   No inline script anywhere and no eval: works under script-src 'self'. Every page works without this file too. */
(() => {
  "use strict";
  const gettext = window.gettext || ((words) => words);
  const interpolate = window.interpolate || ((words, values) => words.replace(/%\((\w+)\)s/g, (_, name) => values[name]));
  const page = document.documentElement;
  const $ = (selector, root = document) => root.querySelector(selector);
  const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
  const isTyping = (target) => target.closest("input:not([type=checkbox],[type=radio],[type=submit]),textarea,select,[contenteditable]");
  const memory = { get: (key) => { try { return localStorage.getItem(key); } catch { return null; } }, set: (key, value) => { try { localStorage.setItem(key, value); } catch { /* private window */ } } };

  /* ---- toasts: the server sends {"toast": [{text, level, undo}]} in HX-Trigger ---- */
  function toast(text, level = "success", undo = "") {
    const box = document.createElement("div");
    box.className = `toast ${level}`;
    const words = document.createElement("p");
    words.textContent = text; words.dir = "auto";
    box.append(words);
    if (undo) box.append(button(gettext("Undo"), "btn sm", () => { box.remove(); takeBack(undo); }, "data-undo"));
    box.append(button("✕", "icb sm", () => box.remove(), "data-dismiss", gettext("Dismiss")));
    $("#toasts").append(box);
    let left = undo || level === "error" ? 12 : 6;
    const clock = setInterval(() => { if (box.matches(":hover,:focus-within")) return; if (--left <= 0) { clearInterval(clock); box.remove(); } }, 1000);
  }
  function takeBack(url) {
    const part = $("[data-live]"), values = { next: location.pathname + location.search };
    htmx.ajax("POST", url, { source: part || document.body, target: part || document.body, swap: part ? "outerHTML" : "none", values }).then(() => { if (!part) location.reload(); });
  }
  function button(text, cls, act, mark, label) {
    const made = document.createElement("button");
    made.type = "button"; made.className = cls; made.textContent = text; made.setAttribute(mark, "");
    if (label) made.setAttribute("aria-label", label);
    made.addEventListener("click", act);
    return made;
  }
  function say(text) { const live = $("#say"); live.textContent = ""; requestAnimationFrame(() => { live.textContent = text; }); }
  document.addEventListener("toast", (event) => { for (const item of event.detail.value || [event.detail]) toast(item.text, item.level, item.undo); });
  document.addEventListener("htmx:responseError", (event) => toast(interpolate(gettext("The server answered %(status)s. Nothing was changed; try again."), { status: event.detail.xhr.status }, true), "error"));
  document.addEventListener("htmx:sendError", () => toast(gettext("No connection to the server. Nothing was changed."), "error"));

  /* ---- dialogs, menus, rail ---- */
  const palette = $("#cmd");
  function open(id) {
    const dialog = document.getElementById(id);
    if (!dialog || dialog.open) return;
    dialog.showModal();
    if (id === "cmd") { const input = $("input", dialog); input.value = ""; input.focus(); htmx.trigger(input, "cmdopen"); }
  }
  function rail(show) {
    const panel = $("#rail"), opener = $("[data-rail]");
    if (!panel) return;
    panel.classList.toggle("open", show);
    opener?.setAttribute("aria-expanded", String(show));
    if (show) $("a", panel).focus();
  }
  document.addEventListener("click", (event) => {
    const at = event.target;
    const opener = at.closest("[data-open]");
    if (opener) { event.preventDefault(); if (palette?.contains(opener)) palette.close(); open(opener.dataset.open); }
    if (at.closest("[data-rail]")) rail(!$("#rail").classList.contains("open"));
    else if (!at.closest("#rail")) rail(false);
    at.closest("[data-close]")?.closest("dialog")?.close();
    if (at instanceof HTMLDialogElement) at.close();
    for (const menu of $$("details.menu[open]")) if (!menu.contains(at)) menu.open = false;
    const copier = at.closest("[data-copy]");
    if (copier) copy(copier);
  });
  async function copy(copier) {
    const source = document.getElementById(copier.dataset.copy);
    const text = "value" in source ? source.value : source.textContent;
    try { await navigator.clipboard.writeText(text); }
    catch { const area = document.createElement("textarea"); area.value = text; copier.append(area); area.select(); document.execCommand("copy"); area.remove(); }
    toast(gettext("Copied."));
  }

  /* ---- what a person chooses here is kept on the server; a browser without a person remembers by itself ---- */
  const token = () => JSON.parse(document.body.getAttribute("hx-headers") || "{}")["X-CSRFToken"] || "";
  async function keep(url) {
    try {
      const answer = await fetch(url, { method: "POST", headers: { "X-CSRFToken": token(), "X-Quiet": "1" } });
      if (!answer.ok) throw new Error(answer.status);
    } catch { toast(gettext("Your choice could not be saved. It lasts until you leave this page."), "error"); }
  }
  document.addEventListener("click", (event) => {
    const toggle = event.target.closest(".theme-toggle");
    if (!toggle) return;
    // Django's theme.js has changed the page by now; the address ends with the value
    if (toggle.dataset.url) keep(toggle.dataset.url.replace(/[^/]+\/$/, `${page.dataset.theme}/`));
    say({ light: gettext("Light colours"), dark: gettext("Dark colours"), auto: gettext("Colours as the device") }[page.dataset.theme]);
  });

  /* ---- keys ---- */
  const off = $("[data-keys-off]");
  const keysOn = () => page.dataset.keys !== "off";
  if (off) off.addEventListener("change", () => { page.dataset.keys = off.checked ? "off" : "on"; keep(off.checked ? off.dataset.url : off.dataset.urlOn); });
  let chord = 0;
  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k" && palette) { event.preventDefault(); open("cmd"); return; }
    if ((event.ctrlKey || event.metaKey) && event.key === "Enter") { const main = $("[data-ctrl-enter]"); if (main) { event.preventDefault(); main.click(); } return; }
    if (event.key === "Escape") { rail(false); const menu = $("details.menu[open]"); if (menu) { menu.open = false; $("summary", menu).focus(); } }
    if (palette?.open) { walk(event); return; }
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target) || $("dialog[open]") || !keysOn()) return;
    const led = chord && Date.now() - chord < 1200 && /^[a-z]$/.test(event.key) && $(`#rail a[data-go="${event.key}"]`);
    if (led) { chord = 0; event.stopImmediatePropagation(); led.click(); return; }
    chord = event.key === "g" ? Date.now() : 0;
    if (event.key === "n") $("#rail .new")?.click();
    if (event.key === "u") $("#toasts .toast:last-child [data-undo]")?.click();
    if (event.key === "?") open("keys");
    if (event.key === "/") { const field = $("[data-filter],#searchbar"); if (field) { event.preventDefault(); field.focus(); } }
  });
  function walk(event) {
    const options = $$("[role=option]", palette), input = $("input", palette);
    if (!options.length) return;
    let index = options.findIndex((option) => option.getAttribute("aria-selected") === "true");
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      index = (index + (event.key === "ArrowDown" ? 1 : -1) + options.length) % options.length;
      choose(options, index, input);
    }
    if (event.key === "Enter" && event.target === input) { event.preventDefault(); (options[index] || options[0]).click(); }
  }
  /* only addresses are remembered: what they are called the server says, to those who may know */
  const MOST_RECENT = 5;
  const recent = () => { try { return JSON.parse(memory.get("recent")) || []; } catch { return []; } };
  palette?.addEventListener("click", (event) => {
    const link = event.target.closest("a[role=option]");
    if (link) memory.set("recent", JSON.stringify([...new Set([link.getAttribute("href"), ...recent()])].slice(0, MOST_RECENT)));
  });
  document.addEventListener("htmx:configRequest", (event) => { if (palette?.contains(event.detail.elt) && !event.detail.parameters.q) event.detail.parameters.recent = recent(); });
  function choose(options, index, input) {
    options.forEach((option, place) => option.setAttribute("aria-selected", String(place === index)));
    input.setAttribute("aria-activedescendant", options[index].id);
    options[index].scrollIntoView({ block: "nearest" });
  }

  /* ---- live parts: an element with data-live asks for itself; the server answers 204 while nothing has changed. While stream.js
     hears what happens, the part asks when something did, and otherwise seldom. data-live="often": shows what no event tells ---- */
  const OFTEN = 10, SELDOM = 30, SOONEST = 2;
  let paused = memory.get("live") === "paused", waited = 0, streaming = false, caughtUp = false, due = 0;
  const every = (part) => streaming && caughtUp && part.dataset.live !== "often" ? SELDOM : OFTEN;
  function refresh(part) {
    if (paused || document.hidden || isHeld(part) || part.classList.contains("htmx-request")) return false;
    waited = 0; caughtUp = streaming; htmx.trigger(part, "refresh");
    return true;
  }
  /* what happened before the stream was open is not in it: the part asks once more before it relies on it */
  function streams(now) {
    if (now !== streaming) caughtUp = false;
    streaming = now;
  }
  /* many events in a row are one refresh, half a second after the first; then not again for a while */
  function happened() {
    const part = $("[data-live]");
    if (!part || due) return;
    due = setTimeout(() => { due = 0; if (!refresh(part)) waited = SELDOM; }, waited < SOONEST ? SOONEST * 1000 : 500);
  }
  function isHeld(part) { return part.matches(":focus-within") && isTyping(document.activeElement) || $("details.menu[open],details[data-hold][open],dialog[open]", part) || $("button:hover,a.btn:hover,input:checked", part) || $("[data-undo]:hover"); }
  function liveLine() {
    for (const line of $$("[data-live-line]")) {
      $("[data-live-age]", line).textContent = paused ? gettext("Updates paused") : waited < 2 ? gettext("Updated just now") : interpolate(gettext("Updated %(n)s s ago"), { n: waited }, true);
      const toggle = $("[data-live-toggle]", line);
      toggle.textContent = paused ? gettext("Resume updates") : gettext("Pause updates");
      line.hidden = false;
    }
  }
  document.addEventListener("click", (event) => {
    if (!event.target.closest("[data-live-toggle]")) return;
    paused = !paused; memory.set("live", paused ? "paused" : "on"); waited = paused ? waited : SELDOM; liveLine(); say(paused ? gettext("Updates paused") : gettext("Updates resumed"));
  });
  setInterval(() => {
    const part = $("[data-live]");
    if (!part) return;
    if (!paused && !document.hidden) {
      waited += 1;
      if (waited >= every(part)) refresh(part);
    }
    liveLine();
  }, 1000);
  let seen = "";
  document.addEventListener("htmx:configRequest", (event) => { if (seen && event.detail.elt.matches("[data-live]") && event.detail.verb === "get") event.detail.headers["X-Seen"] = seen; });
  document.addEventListener("htmx:afterOnLoad", (event) => {
    if (event.detail.elt?.matches?.("[data-live]")) waited = 0;
    if (event.detail.target?.matches?.("[data-live]")) seen = event.detail.xhr.getResponseHeader("X-Seen") || seen;
  });
  document.addEventListener("visibilitychange", () => { if (!document.hidden) waited = SELDOM; });

  /* ---- after a swap: the palette's first answer is chosen, refused forms take the focus to their summary, what is shown only once
     takes it to itself ---- */
  document.addEventListener("htmx:afterSettle", (event) => {
    if (event.detail.target?.id === "cmd-list") { const options = $$("[role=option]", palette); if (options.length) choose(options, 0, $("input", palette)); }
    if (event.detail.xhr?.status === 422 || event.detail.xhr?.status === 409) $("[data-problems]")?.focus();
    if (event.detail.target?.contains($("[data-once]")) || event.detail.elt?.contains?.($("[data-once]"))) $("[data-once]")?.focus();
    liveLine();
  });
  $("[data-problems], [data-once]")?.focus();
  liveLine();

  /* ---- the admin's filters start folded where there is no room for them ---- */
  if (!matchMedia("(min-width: 1101px)").matches) for (const fold of $$("details[data-open-wide]")) fold.open = false;

  /* ---- small things a form may ask for ---- */
  document.addEventListener("change", (event) => { if (event.target.matches("[data-submit-on-change]")) event.target.form.requestSubmit(); });
  function isChanged(field) {
    if (field.type === "checkbox" || field.type === "radio") return field.checked !== field.defaultChecked;
    if (field.options) return [...field.options].some((option) => option.selected !== option.defaultSelected);
    return field.value !== field.defaultValue;
  }
  document.addEventListener("input", (event) => {
    const form = event.target.closest("form[data-mark-changes]"), box = event.target.closest(".field");
    if (!form || !box) return;
    const changed = $$("input,select,textarea", box).some(isChanged);
    box.classList.toggle("changed", changed);
    let mark = $(".change-mark", box);
    if (changed && !mark) { mark = document.createElement("span"); mark.className = "change-mark"; mark.textContent = gettext("changed"); $("label,legend", box).append(" ", mark); }
    if (!changed) mark?.remove();
  });
  let dirty = false;
  document.addEventListener("input", (event) => { if (event.target.closest("form[data-guard]")) dirty = true; });
  document.addEventListener("submit", () => { dirty = false; });
  document.addEventListener("htmx:beforeRequest", (event) => { if (event.detail.elt.matches("form[data-guard]")) dirty = false; });
  document.addEventListener("htmx:afterRequest", (event) => { if (event.detail.elt.matches("form[data-guard]") && !event.detail.successful) dirty = true; });
  document.addEventListener("kept", () => { dirty = false; });  // the composer has stored it as a draft
  addEventListener("beforeunload", (event) => { if (dirty) event.preventDefault(); });
  window.ui = { toast, say, keysOn, happened, streams };
})();
