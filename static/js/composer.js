/* The composer's one convenience: the number of characters as you type. Limits and previews come from the server. */
(() => {
  "use strict";
  function count() {
    const text = document.getElementById("id_text"), place = document.querySelector("#meter [data-count]");
    if (text && place) place.textContent = [...text.value].length.toLocaleString(document.documentElement.lang);
  }
  document.addEventListener("input", (event) => { if (event.target.id === "id_text") count(); });
  document.addEventListener("htmx:afterSettle", count);
  count();
})();
