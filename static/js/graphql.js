/* The page on which GraphQL is tried out: sends what stands in the form and shows the answer where one reads on.
   Without this file the form asks by GET and the browser shows the answer by itself. */
(() => {
  "use strict";
  const form = document.getElementById("graphql");
  if (!form) return;
  const { query, variables } = form.elements;
  const note = document.getElementById("gql-note"), answer = document.getElementById("gql-answer");
  const token = () => JSON.parse(document.body.getAttribute("hx-headers") || "{}")["X-CSRFToken"] || "";
  let asked = 0;
  function show(words, text) {
    note.textContent = words;
    if (text === undefined) return;
    answer.textContent = text;
    answer.hidden = false;
    document.getElementById("gql-empty").hidden = true;
  }
  function given() {
    const text = variables.value.trim();
    if (!text) return null;
    const found = JSON.parse(text);
    if (found === null || typeof found !== "object" || Array.isArray(found)) throw new SyntaxError("no object");
    return found;
  }
  async function run() {
    const mine = ++asked;
    let values;
    variables.removeAttribute("aria-invalid");
    try { values = given(); } catch {
      variables.setAttribute("aria-invalid", "true");
      variables.focus();
      return show(form.dataset.variables);
    }
    show(form.dataset.asking);
    const began = performance.now();
    try {
      const response = await fetch(form.action, {
        method: "POST",
        headers: { "Accept": "application/json", "Content-Type": "application/json", "X-CSRFToken": token() },
        body: JSON.stringify({ query: query.value, variables: values }),
      });
      const text = await response.text();
      if (mine !== asked) return;
      const words = form.dataset.took.replace("{ms}", Math.round(performance.now() - began)).replace("{status}", response.status);
      let shown = text;
      try { shown = JSON.stringify(JSON.parse(text), null, 2); } catch { /* not JSON: as it came */ }
      show(words, shown);
    } catch {
      if (mine === asked) show(form.dataset.lost);
    }
  }
  form.addEventListener("submit", (event) => { event.preventDefault(); run(); });
  form.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    form.requestSubmit();
  });
})();
