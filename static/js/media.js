/* The media library: files are dropped anywhere on the page, pasted, or chosen, and go up one by one, each with its progress and
   its own error. Beside it: select a page, count what is selected. The form works without this file. */
(() => {
  "use strict";
  const form = document.querySelector("form[data-upload]");
  const shelf = () => document.getElementById("library");

  /* ---- one file after the other ---- */
  const waiting = [];
  let busy = false, added = 0;
  function take(files) {
    for (const file of files) waiting.push({ file, line: line(file.name || "file") });
    next();
  }
  function line(name) {
    const item = document.createElement("li"), words = document.createElement("span"), bar = document.createElement("progress"), state = document.createElement("small");
    words.textContent = name; bar.max = 1; bar.value = 0; bar.setAttribute("aria-label", name);
    item.append(words, bar, state);
    form.querySelector("[data-uploads]").append(item);
    return { item, bar, state };
  }
  function next() {
    if (busy) return;
    const one = waiting.shift();
    if (!one) { finished(); return; }
    busy = true;
    const body = new FormData(), request = new XMLHttpRequest();
    for (const name of ["csrfmiddlewaretoken", "folder"]) body.append(name, form.elements[name].value);
    body.append("files", one.file, one.file.name || "file");
    request.open("POST", form.action);
    request.setRequestHeader("Accept", "application/json");
    request.upload.addEventListener("progress", (event) => { if (event.lengthComputable) one.line.bar.value = event.loaded / event.total; });
    request.addEventListener("loadend", () => { busy = false; ended(one.line, answer(request)); next(); });
    request.send(body);
  }
  function answer(request) {
    try { return JSON.parse(request.responseText); }
    catch { return { kept: [], problems: [form.dataset.failed] }; }
  }
  function ended({ item, bar, state }, { kept, problems }) {
    bar.remove();
    if (problems.length) { item.className = "bad"; item.firstChild.textContent = problems.join(" "); return; }
    added += kept.length;
    state.textContent = form.dataset.done;
    item.className = "good";
  }
  function finished() {
    if (!added) return;
    added = 0;
    if (shelf()) htmx.trigger(shelf(), "refresh");
    setTimeout(() => { for (const item of form.querySelectorAll("[data-uploads] .good")) item.remove(); }, 6000);
  }
  if (form) {
    const chooser = form.querySelector("input[type=file]");
    chooser.addEventListener("change", () => { take(chooser.files); chooser.value = ""; });
  }

  /* ---- drop and paste: on the library's page anywhere, in a picker into its file field ---- */
  function target(at) {
    const zone = at?.closest?.("[data-drop]");
    return zone ? document.getElementById(zone.dataset.drop) : null;
  }
  function give(files, at) {
    if (!files.length) return false;
    if (form) { take(files); return true; }
    const field = target(at) || document.querySelector("[data-drop] input[type=file]");
    if (!field) return false;
    const kept = new DataTransfer();
    for (const file of [...field.files, ...files]) kept.items.add(file);
    field.files = kept.files;
    field.dispatchEvent(new Event("change", { bubbles: true }));
    field.closest("[data-drop]").querySelector("button[value=upload]")?.click();
    return true;
  }
  const hasFiles = (event) => [...(event.dataTransfer?.types || [])].includes("Files");
  let depth = 0;
  function mark(on) { document.documentElement.classList.toggle("dropping", on); }
  document.addEventListener("dragenter", (event) => { if (hasFiles(event) && (form || target(event.target))) { depth += 1; mark(true); } });
  document.addEventListener("dragleave", (event) => { if (hasFiles(event)) { depth = Math.max(0, depth - 1); if (!depth) mark(false); } });
  document.addEventListener("dragover", (event) => { if (hasFiles(event) && (form || target(event.target))) event.preventDefault(); });
  document.addEventListener("drop", (event) => {
    depth = 0; mark(false);
    if (hasFiles(event) && (form || target(event.target))) { event.preventDefault(); give([...event.dataTransfer.files], event.target); }
  });
  document.addEventListener("paste", (event) => {
    const files = [...(event.clipboardData?.files || [])];
    if (files.length && give(files, event.target)) event.preventDefault();
  });

  /* ---- many at once ---- */
  const boxes = () => [...(shelf()?.querySelectorAll("input[name=asset]") || [])];
  function count() {
    const place = shelf()?.querySelector("[data-picked]"), all = boxes(), picked = all.filter((box) => box.checked).length;
    if (!place) return;
    const words = picked ? `${picked} / ${all.length}` : "";
    if (place.textContent !== words) place.textContent = words;
    const page = shelf().querySelector("[data-pick-all]");
    page.checked = picked === all.length;
    page.indeterminate = picked > 0 && picked < all.length;
  }
  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-pick-all]")) for (const box of boxes()) box.checked = event.target.checked;
    if (event.target.closest("#library")) count();
  });
  document.addEventListener("htmx:afterSettle", count);
  count();
})();
