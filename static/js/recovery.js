/* The recovery desk: select a page, select a range with Shift, count what is selected, and tell when the number changes.
   Ticks and buttons work without this file. */
(() => {
  "use strict";
  const desk = () => document.getElementById("recovery");
  const { count, keys } = window.ticks("recovery", ".case");
  keys({ x: "input[name=job]", r: "[data-retry]" });
  let acted = false, needing = desk()?.dataset.needing;
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
})();
