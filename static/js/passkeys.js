/* Passkeys and security keys: the ceremony between the browser and the server's forms. The forms carry the server's options as
   JSON data (`data-options`) or fetch them (`data-passkey="login"`), and post the answer in their field `credential`. */
(() => {
  "use strict";
  const bytes = (text) => {
    const plain = atob(text.replace(/-/g, "+").replace(/_/g, "/"));
    return Uint8Array.from(plain, (letter) => letter.charCodeAt(0));
  };
  const text = (buffer) => {
    const plain = String.fromCharCode(...new Uint8Array(buffer));
    return btoa(plain).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  };
  const listed = (keys) => (keys || []).map((key) => ({ ...key, id: bytes(key.id) }));

  async function made(form, options) {
    const asked = { ...options, challenge: bytes(options.challenge), user: { ...options.user, id: bytes(options.user.id) },
      excludeCredentials: listed(options.excludeCredentials) };
    const alone = form.elements.passwordless?.checked;
    asked.authenticatorSelection = { ...asked.authenticatorSelection,
      residentKey: alone ? "required" : "discouraged", requireResidentKey: Boolean(alone), userVerification: alone ? "required" : "discouraged" };
    const key = await navigator.credentials.create({ publicKey: asked });
    return { ...named(key), response: { clientDataJSON: text(key.response.clientDataJSON),
      attestationObject: text(key.response.attestationObject), transports: key.response.getTransports?.() || [] } };
  }
  async function shown(options, verification) {
    const asked = { ...options, challenge: bytes(options.challenge), allowCredentials: listed(options.allowCredentials) };
    if (verification) asked.userVerification = verification;
    const key = await navigator.credentials.get({ publicKey: asked });
    const { clientDataJSON, authenticatorData, signature, userHandle } = key.response;
    return { ...named(key), response: { clientDataJSON: text(clientDataJSON), authenticatorData: text(authenticatorData),
      signature: text(signature), userHandle: userHandle ? text(userHandle) : null } };
  }
  const named = (key) => ({ type: key.type, id: key.id, rawId: text(key.rawId), authenticatorAttachment: key.authenticatorAttachment,
    clientExtensionResults: key.getClientExtensionResults() });

  async function answer(form) {
    if (form.dataset.passkey === "login") {
      const asked = await fetch(form.action, { headers: { Accept: "application/json" } });
      if (!asked.ok) throw new Error(asked.status);
      return shown((await asked.json()).request_options.publicKey, "required");
    }
    const data = JSON.parse(document.getElementById(form.dataset.options).textContent);
    return form.dataset.passkey === "add" ? made(form, data.creation_options.publicKey) : shown(data.request_options.publicKey);
  }
  /* a browser knows no passkeys for a bare IP address */
  const possible = window.PublicKeyCredential && !/^[\d.]+$|^\[/.test(location.hostname);
  for (const form of document.querySelectorAll("form[data-passkey]")) {
    const says = form.querySelector("[data-passkey-says]");
    const say = (words) => { says.textContent = words; says.hidden = false; };
    if (!possible) { if (!form.hidden) say(form.dataset.impossible); continue; }
    form.hidden = false;
    form.addEventListener("submit", async (event) => {
      if (form.elements.credential.value) return;
      event.preventDefault();
      says.hidden = true;
      try {
        form.elements.credential.value = JSON.stringify(await answer(form));
        form.submit();
      } catch { say(form.dataset.refused); }
    });
  }
})();
