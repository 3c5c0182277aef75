// The page's side of the frames in which cards are shown: <iframe sandbox="allow-scripts" data-card src="…?embed=true">.
// A card is an untrusted page in a sandbox. It may only send its height and, while live data from the address in
// data-live are relayed into it, a request to be reloaded.

(() => {
  "use strict";

  const MIN_HEIGHT = 120;
  const MAX_HEIGHT = 20000;
  const POLL_MS = 3000;
  const MAX_POLL_MS = 30000;

  const relays = new WeakMap(); // iframe -> {last: live data, reloaded: token for which the frame was reloaded}

  const cardFrames = () => document.querySelectorAll("iframe[data-card]");

  function fit(frame, height) {
    if (!Number.isFinite(height)) return;
    const borders = frame.offsetHeight - frame.clientHeight;
    frame.style.height = `${Math.min(Math.max(Math.ceil(height) + borders, MIN_HEIGHT), MAX_HEIGHT)}px`;
  }

  // The frame's origin is opaque, so no target origin can be given; only the card's own data are sent
  const send = (frame, message) => frame.contentWindow?.postMessage(message, "*");

  function sendLast(frame) {
    const last = relays.get(frame)?.last;
    if (last) send(frame, {card: "data", reload_token: last.reload_token, data: last.data});
  }

  // Once for each token, so that no card can cause endless reloads
  function reload(frame) {
    const relay = relays.get(frame);
    if (!relay?.last || relay.reloaded === relay.last.reload_token) return;
    relay.reloaded = relay.last.reload_token;
    frame.src = frame.src;
  }

  addEventListener("message", event => {
    const frame = [...cardFrames()].find(each => each.contentWindow === event.source);
    if (!frame || !event.data) return;
    if (event.data.card === "height") fit(frame, event.data.height);
    if (event.data.card === "ready") sendLast(frame);
    if (event.data.card === "stale") reload(frame);
  });

  // The card's live data; null: no answer this time; undefined: stop polling
  async function ask(address) {
    try {
      const answer = await fetch(address, {headers: {Accept: "application/json"}});
      if (answer.ok) return await answer.json();
      return answer.status < 500 ? undefined : null;
    } catch {
      return null;
    }
  }

  async function relay(frame) {
    const state = {};
    relays.set(frame, state);
    let wait = POLL_MS;
    while (frame.isConnected) {
      await new Promise(resolve => setTimeout(resolve, wait));
      const live = await ask(frame.dataset.live);
      if (live === undefined) return;
      if (live?.final) {
        state.last = undefined;
        frame.src = frame.src; // the last rendering may differ from the relayed data
        return;
      }
      if (live?.reload_token) {
        state.last = live;
        sendLast(frame);
      }
      wait = live ? POLL_MS : Math.min(wait * 2, MAX_POLL_MS);
    }
  }

  function start() {
    for (const frame of cardFrames()) {
      send(frame, {card: "measure"}); // its first message may have come before our listener
      if (frame.dataset.live && !relays.has(frame)) relay(frame);
    }
  }

  start();
  document.addEventListener("htmx:afterSettle", start); // frames in new fragments
})();
