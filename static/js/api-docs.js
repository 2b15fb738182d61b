// Starts Swagger or Redoc on the page that has its place. Their own starters are inline scripts, which our policy forbids.
(() => {
  "use strict";
  const swagger = document.getElementById("swagger");
  if (swagger) {
    window.SwaggerUIBundle({
      url: swagger.dataset.schema,
      domNode: swagger,
      deepLinking: true,
      docExpansion: "none",
      filter: true,
      defaultModelsExpandDepth: 0,
      // what is tried out by the browser's session is a form's request to the server
      requestInterceptor: (request) => {
        if (swagger.dataset.csrf && request.method && request.method !== "GET") request.headers["X-CSRFToken"] = swagger.dataset.csrf;
        return request;
      },
      // the validator's badge would ask a foreign host
      validatorUrl: null,
    });
  }
  // Redoc's foot would fetch its maker's logo from a foreign host
  const source = Object.getOwnPropertyDescriptor(HTMLImageElement.prototype, "src");
  const isForeign = (value) => !/^data:/.test(value) && new URL(value, location.href).origin !== location.origin;
  Object.defineProperty(HTMLImageElement.prototype, "src", {
    ...source,
    set(value) { if (!isForeign(value)) source.set.call(this, value); },
  });
  HTMLImageElement.prototype.setAttribute = function (name, value) {
    if (name !== "src" || !isForeign(value)) Element.prototype.setAttribute.call(this, name, value);
  };
  const redoc = document.getElementById("redoc");
  if (redoc) {
    window.Redoc.init(redoc.dataset.schema, { nonce: redoc.dataset.nonce, disableSearch: true, hideDownloadButtons: true, hideLoading: true, theme: { typography: { fontFamily: "system-ui, sans-serif", headings: { fontFamily: "system-ui, sans-serif" } } } }, redoc);
  }
})();
