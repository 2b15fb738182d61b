/* The print version of the calendar: opens the browser's own dialog, once when it has loaded and again on its button. */
(() => {
  "use strict";
  document.addEventListener("click", (event) => { if (event.target.closest("[data-print]")) print(); });
  if (document.querySelector("[data-print]")) addEventListener("load", () => setTimeout(print, 200));
})();
