/* The composer: keeps what is typed, inserts emoji and hashtags, moves files, shows only the tabs of the chosen platforms.
   Counts, problems and previews come from the server, by the functions that publish. Without this file the page works too. */
(() => {
  "use strict";
  const gettext = window.gettext || ((words) => words);
  const interpolate = window.interpolate || ((words, values) => words.replace(/%\((\w+)\)s/g, (_, name) => values[name]));
  const $ = (selector, root = document) => root.querySelector(selector);
  const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
  const form = () => document.getElementById("composer");
  let into = "id_text";

  /* ---- tabs: only those of platforms with a chosen account; an idle one that is open gives way to the main one ---- */
  function tabs() {
    if (!form()) return;
    const used = new Set($$("input[name=accounts]:checked", form()).map((box) => box.dataset.platform));
    for (const tab of $$("[data-tab]", form())) {
      const idle = !used.has(tab.dataset.tab);
      tab.toggleAttribute("data-idle", idle);
      if (idle && $("input", tab).checked) { const main = $("input[name=tab][value='']", form()); main.checked = true; }
    }
  }

  /* ---- inserting: at the caret of the field that was used last, so that undo (Ctrl+Z) works where the browser allows ---- */
  function insert(text, id) {
    const field = document.getElementById(id || into) || $("#id_text");
    if (!field) return;
    field.focus();
    if (!document.execCommand("insertText", false, text)) {
      field.setRangeText(text, field.selectionStart, field.selectionEnd, "end");
      field.dispatchEvent(new Event("input", { bubbles: true }));
    }
  }
  document.addEventListener("focusin", (event) => {
    if (event.target.matches("#composer textarea:not([name^=alt-])")) into = event.target.id;
  });

  document.addEventListener("click", (event) => {
    const at = event.target;
    const opener = at.closest("[data-open=emoji]");
    if (opener) { into = opener.dataset.into; const list = $("#emoji-list"); if (list && !list.children.length) htmx.trigger("#emoji-q", "opened"); }
    const sign = at.closest("[data-emoji]");
    if (sign) { sign.closest("dialog").close(); insert(sign.dataset.emoji); }
    const piece = at.closest("[data-insert]");
    if (piece) insert(piece.dataset.insert, piece.dataset.into);
    const mover = at.closest("[data-move]");
    if (mover) move(mover);
    const group = at.closest("[data-use-hashtags]");
    if (group) { event.preventDefault(); hashtags($("#id_use_hashtags").selectedOptions[0].dataset.hashtags); }
    if (at.closest("[data-keep-mine]")) keep(true);
    const shown = at.closest("[data-problems] a, [data-reveal]");
    if (shown) reveal(shown.hash.slice(1));
  });

  /* A problem may stand in a tab or a fold that is closed: open it, then go there. */
  function reveal(id) {
    const field = document.getElementById(id);
    if (!field) return;
    const panel = field.closest("[data-panel]"), tab = $(`input[name=tab][value='${panel ? panel.dataset.panel : ""}']`);
    if (tab && (panel || field.closest(".panel-main"))) tab.checked = true;
    for (let fold = field.closest("details"); fold; fold = fold.parentElement.closest("details")) fold.open = true;
    const own = field.closest(".own");
    if (own) $("input[type=checkbox]", own).checked = true;
    requestAnimationFrame(() => { field.focus(); field.scrollIntoView({ block: "center" }); });
  }

  function hashtags(words) {
    const field = $("#id_hashtags"), have = new Set(field.value.toLowerCase().split(/[\s,]+/).map((tag) => tag.replace(/^#/, "")));
    const more = words.trim().split(/\s+/).filter((tag) => !have.has(tag.slice(1).toLowerCase()));
    if (!more.length) { ui.say(gettext("They are all there already.")); return; }
    field.value = [field.value.trim(), ...more].filter(Boolean).join(" ");
    field.dispatchEvent(new Event("input", { bubbles: true }));
    ui.say(interpolate(gettext("Added %(words)s"), { words: more.join(" ") }, true));
  }

  /* ---- files: in the order in which they are picked ---- */
  function move(button) {
    const tile = button.closest("[data-tile]"), step = Number(button.dataset.move);
    const other = step < 0 ? tile.previousElementSibling : tile.nextElementSibling;
    if (!other || !$("input:checked", other)) return;
    if (step < 0) other.before(tile); else other.after(tile);
    button.focus();
    htmx.trigger("#what", "put");
    kick();
  }
  document.addEventListener("change", (event) => {
    const box = event.target;
    if (box.matches("#composer input[name=accounts]")) tabs();
    if (box.matches("[data-tile] input[name=media]")) {
      const tile = box.closest("[data-tile]"), chosen = $$("[data-tile]:has(input:checked)", tile.parentElement).filter((one) => one !== tile);
      if (box.checked) { if (chosen.length) chosen[chosen.length - 1].after(tile); else tile.parentElement.prepend(tile); }
    }
    /* "different here" starts from the words for all */
    if (box.matches("[data-own]") && box.checked) {
      const field = $(`[name='variant-${box.dataset.platform}-${box.dataset.own}']`), main = document.getElementById(`id_${box.dataset.own}`);
      if (field && !field.value && main) field.value = main.value;
      field?.focus();
      htmx.trigger("#what", "put");
    }
  });

  /* Enter in the template's name saves the template, not the post. */
  document.addEventListener("keydown", (event) => {
    const target = event.target.closest?.("[data-enter]");
    if (target && event.key === "Enter" && !event.ctrlKey && !event.metaKey) { event.preventDefault(); document.getElementById(target.dataset.enter).click(); }
  });

  /* ---- what was refused stays said until its field is changed ---- */
  document.addEventListener("input", (event) => {
    const name = event.target.name;
    if (!name || !event.target.closest("#composer")) return;
    document.getElementById(`err_${name}`)?.remove();
    event.target.removeAttribute("aria-invalid");
  });

  /* ---- drafts: kept a second after the last key, and at once when the page is left ---- */
  let timer = 0, waiting = false, busy = false, stopped = false;
  function kick() {
    if (!form()?.dataset.keep) return;
    waiting = true; clearTimeout(timer); timer = setTimeout(keep, 1000);
  }
  document.addEventListener("input", (event) => { if (event.target.closest("#composer") && event.target.type !== "file" && event.target.name !== "tab") kick(); });
  function body(force) {
    const data = new FormData(form());
    data.delete("upload");
    if (force === true) data.set("force", "1");
    return data;
  }
  async function keep(force) {
    const place = $("#kept"), url = form()?.dataset.keep;
    if (!url || !place || busy || (stopped && force !== true)) return;
    waiting = false; busy = true;
    try {
      const answer = await fetch(url, { method: "POST", body: body(force), headers: { "HX-Request": "true" }, credentials: "same-origin" });
      if (!answer.ok && answer.status !== 409) throw new Error(String(answer.status));
      place.innerHTML = await answer.text();
      stopped = answer.status === 409;
      const mark = $("[data-draft]", place);
      if (mark) {
        $("#kept-ids [name=draft]").value = mark.dataset.draft;
        $("#kept-ids [name=draft_version]").value = mark.dataset.draftVersion;
        if (!waiting) document.dispatchEvent(new Event("kept"));
      }
    } catch {
      place.textContent = gettext("Not saved: no answer from the server. It is tried again.");
      waiting = true;
    } finally {
      busy = false;
      if (waiting && !stopped) { clearTimeout(timer); timer = setTimeout(keep, 5000); }
    }
  }
  addEventListener("pagehide", () => {
    if (waiting && !stopped && form()?.dataset.keep) navigator.sendBeacon(form().dataset.keep, body());
  });
  document.addEventListener("htmx:beforeRequest", (event) => { if (event.detail.elt.id === "composer") { clearTimeout(timer); waiting = false; } });
  document.addEventListener("submit", () => { clearTimeout(timer); waiting = false; });

  let picker = document.getElementById("media-picker");
  document.addEventListener("htmx:afterSettle", () => {
    tabs();
    const now = document.getElementById("media-picker");
    if (now && now !== picker) { picker = now; if (form()?.contains(now)) { htmx.trigger("#what", "put"); kick(); } }
  });
  tabs();
})();
