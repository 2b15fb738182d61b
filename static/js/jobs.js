/* The job monitor: selection, new rows that wait for a click, own days, and the figure of executions.
   The list, its filters and its batches work without this file. */
(() => {
  "use strict";
  const gettext = window.gettext || ((text) => text);
  const ngettext = window.ngettext || ((one, several, number) => (number === 1 ? one : several));
  const interpolate = window.interpolate || ((text, values) => text.replace(/%\((\w+)\)s/g, (_all, name) => values[name]));
  const list = () => document.getElementById("jobs");

  /* ---- selection; and the days of one's own, for which the fields are there ---- */
  const { count, keys } = window.ticks("jobs", ".jobs-list tbody tr");
  keys({ x: "input[name=job]", r: "[data-retry]" });
  document.addEventListener("change", (event) => {
    const at = event.target;
    if (at.id !== "id_range") return;
    if (at.value === "own") document.getElementById("id_since").focus();
    else at.form.requestSubmit();
  });

  /* ---- live: rows on the page are renewed where they stand; new ones wait for a click, and none is taken away under the pointer ---- */
  let waiting = "", acted = false;
  const rowsOf = (root) => new Map([...root.querySelectorAll(".jobs-list tbody tr")].map((row) => [row.id, row]));
  document.addEventListener("htmx:beforeRequest", (event) => { acted = event.detail.requestConfig.verb === "post"; });
  document.addEventListener("htmx:beforeSwap", (event) => {
    const detail = event.detail, here = list();
    if (!here || detail.target !== here || detail.xhr.status !== 200 || detail.requestConfig.triggeringEvent?.type !== "refresh") return;
    const fresh = new DOMParser().parseFromString(detail.serverResponse, "text/html").getElementById("jobs");
    if (!fresh) return;
    const old = rowsOf(here), now = rowsOf(fresh);
    const added = [...now.keys()].filter((id) => !old.has(id)).length, gone = [...old.keys()].filter((id) => !now.has(id));
    const held = here.querySelector("tbody:hover, tbody:focus-within");
    if (!old.size || (!added && !(gone.length && held))) return;
    detail.shouldSwap = false;
    waiting = detail.serverResponse;
    renew(here, old, now, fresh);
    tell(here, added, gone.length);
  });
  function renew(here, old, now, fresh) {
    here.querySelector(".tabs").replaceWith(fresh.querySelector(".tabs"));
    for (const [id, row] of old) {
      const newer = now.get(id);
      row.classList.toggle("gone", !newer);
      if (newer && !row.contains(document.activeElement) && row.textContent !== newer.textContent) { row.replaceChildren(...newer.children); window.htmx.process(row); }
    }
  }
  function tell(here, added, gone) {
    const news = here.querySelector("[data-news]");
    news.textContent = added
      ? interpolate(ngettext("%(n)s new", "%(n)s new", added), { n: added }, true)
      : interpolate(ngettext("%(n)s has left this list: renew it", "%(n)s have left this list: renew it", gone), { n: gone }, true);
    if (news.hidden) window.ui?.say(news.textContent);
    news.hidden = false;
  }
  document.addEventListener("click", (event) => {
    if (!event.target.closest("[data-news]") || !waiting) return;
    window.htmx.swap(list(), waiting, { swapStyle: "outerHTML" });
    waiting = "";
    document.getElementById("jobs-caption")?.focus({ preventScroll: true });
    count();
  });
  /* the button of a row that has left is gone, so the list takes the focus */
  document.addEventListener("htmx:afterSettle", (event) => {
    if (event.detail.target?.id !== "jobs" && event.target?.id !== "jobs") return;
    waiting = "";
    if (acted && document.activeElement === document.body) document.getElementById("jobs-caption")?.focus({ preventScroll: true });
    acted = false;
    count();
  });

  /* ---- the figure: plotly.js is fetched when the figure comes into sight, and never elsewhere ---- */
  const figure = document.querySelector("[data-figure]");
  const MARKS = { good: "--published-mk", failed: "--failed-mk", again: "--missed-mk", unsure: "--review-mk", under_way: "--running-mk" };
  let drawn = null;
  function script(address) {
    return new Promise((resolve, reject) => {
      const tag = document.createElement("script");
      tag.src = address; tag.onload = resolve; tag.onerror = reject;
      document.head.append(tag);
    });
  }
  /* tokens are light-dark() pairs: a probe has the browser say what one is now */
  function colour(name) {
    const probe = document.createElement("i");
    probe.className = "vh";
    figure.append(probe);
    probe.style.setProperty("color", `var(${name})`);
    const found = getComputedStyle(probe).color;
    probe.remove();
    return found;
  }
  function dressed(data) {
    const ink = colour("--ink-2"), line = colour("--line"), surface = colour("--surface");
    const narrow = figure.clientWidth < 560;
    const axis = { color: ink, gridcolor: line, linecolor: line, zerolinecolor: line };
    const traces = data.data.map((trace) => {
      const mark = colour(MARKS[trace.meta] || "--draft-mk");
      return { ...trace, marker: { ...trace.marker, color: mark, line: { ...trace.marker.line, color: mark } } };
    });
    const lanes = data.layout.yaxis.ticktext.map((words) => (narrow && words.length > 13 ? `${words.slice(0, 12)}…` : words));
    const layout = {
      ...data.layout, showlegend: !narrow, paper_bgcolor: surface, plot_bgcolor: surface,
      font: { color: ink, family: getComputedStyle(document.body).fontFamily, size: 12 },
      xaxis: { ...data.layout.xaxis, ...axis, ...(narrow ? { nticks: 4, tickangle: 0 } : {}) }, yaxis: { ...data.layout.yaxis, ...axis, ticktext: lanes },
      hoverlabel: { bgcolor: colour("--surface-2"), bordercolor: line, font: { color: colour("--ink") }, align: "left" },
    };
    return [traces, layout];
  }
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  async function draw() {
    const note = figure.querySelector("[data-plot-note]"), place = figure.querySelector(".plot");
    note.textContent = gettext("Drawing the chart…");
    try {
      const [answer] = await Promise.all([
        fetch(figure.dataset.figure, { headers: { Accept: "application/json" } }).then((got) => { if (!got.ok) throw new Error(String(got.status)); return got.json(); }),
        window.Plotly ? null : script(figure.dataset.script),
      ]);
      drawn = answer;
      await window.Plotly.newPlot(place, ...dressed(drawn), { displaylogo: false, responsive: true, scrollZoom: false, modeBarButtonsToRemove: ["select2d", "lasso2d", "autoScale2d"], ...(still ? { doubleClickDelay: 300 } : {}) });
      place.on("plotly_click", (event) => { const link = event.points[0]?.customdata; if (link) location.assign(link); });
    } catch {
      note.textContent = gettext("The chart could not be drawn. The table holds the same numbers; reload the page to try again.");
    }
  }
  function redraw() { if (drawn) window.Plotly.react(figure.querySelector(".plot"), ...dressed(drawn)); }
  if (figure) {
    const sight = new IntersectionObserver((entries) => { if (entries.some((entry) => entry.isIntersecting)) { sight.disconnect(); draw(); } });
    sight.observe(figure);
    new MutationObserver(redraw).observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  }
  count();
})();
