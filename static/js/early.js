/* Runs before the first paint: what only makes sense with script may show, what stands in for it may not.
   The theme a person has chosen comes with the page; Django's theme.js, which runs next, reads this browser's memory. */
document.documentElement.classList.add("js");
if (document.documentElement.dataset.storedTheme) {
  try { localStorage.setItem("theme", document.documentElement.dataset.storedTheme); } catch { /* private window */ }
}
