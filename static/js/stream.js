/* The live stream of the workspace, held by one tab of the browser for all of them: a host gets six connections at most.
   The tab that has the lock listens and tells the others. Where the browser cannot do that, or no stream comes, live parts go on asking. */
(() => {
  "use strict";
  const address = document.currentScript?.dataset.stream || document.querySelector("script[data-stream]").dataset.stream;
  if (!window.EventSource || !window.BroadcastChannel || !navigator.locks || !document.querySelector("[data-live]")) return;
  const name = `alwrity:${address}`;
  let channel = null, source = null, leave = null, heard = false;

  function tell(message) { take(message); channel?.postMessage(message); }
  function take(message) {
    if (message === "happened") window.ui.happened();
    else if (message === "who") { if (source?.readyState === EventSource.OPEN) channel.postMessage("open"); }
    else {
      heard ||= message === "open";
      window.ui.streams(message === "open");
    }
  }
  function listen() {
    // taken over from another tab: nobody heard what happened in between, so everybody looks
    let isTakenOver = heard;
    source = new EventSource(address);
    source.onopen = () => {
      tell("open");
      if (isTakenOver) tell("happened");
      isTakenOver = false;
    };
    source.onmessage = () => tell("happened");
    // closed: refused for good, e.g. signed out. Otherwise the browser tries again by itself
    source.onerror = () => tell("closed");
  }
  function stop() {
    if (source) { source.close(); tell("closed"); }
    source = null;
    leave?.();
    leave = null;
    channel?.close();
    channel = null;
  }
  function start() {
    if (channel) return;
    channel = new BroadcastChannel(name);
    channel.onmessage = (event) => take(event.data);
    channel.postMessage("who");
    const wanted = new AbortController();
    leave = () => wanted.abort();
    navigator.locks.request(name, { signal: wanted.signal }, () => new Promise((done) => { leave = done; listen(); })).catch(() => { /* left before its turn */ });
  }
  addEventListener("pagehide", stop);
  addEventListener("pageshow", start);
  start();
})();
