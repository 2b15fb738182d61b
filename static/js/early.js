/* Runs before the first paint: what only makes sense with script may show, what stands in for it may not. */
document.documentElement.classList.add("js");
