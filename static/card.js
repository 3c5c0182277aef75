// The page's side of the frames in which cards are shown: <iframe sandbox="allow-scripts" data-card src="…?embed=true">.
// data-card="fixed" keeps its size. A script that adds frames sends cards:shown to the document.
// A card is an untrusted page in a sandbox. It may only send its height and, while live data from the address in
// data-live are relayed into it, a request to be reloaded. One that sends without end, or goes on in the browser's
// history, is taken out.

(() => {
  "use strict";

  const MIN_HEIGHT = 120;
  const MAX_HEIGHT = 20000;
  const POLL_MS = 3000;
  const MAX_POLL_MS = 30000;
  const MOST_MESSAGES = 300; // in a second
  const MOST_MOVES = 3;
  const PING_MS = 2000;
  const PATIENCE_MS = 10000; // without an answer
  const LOADING_MS = 30000;
  const NO_ANSWER = "This card was taken out, because it did not answer, or waited for one beside it that did not.";
  const TOO_MANY_MESSAGES = "This card was taken out, because it sent so much that the page could not answer.";
  const TOO_MANY_MOVES = "This card was taken out, because it filled the history of the browser.";

  const relays = new WeakMap(); // iframe -> {last: live data, reloaded: token for which the frame was reloaded}
  const senders = new WeakMap(); // window of a card -> {frame, since: ms, messages, moves, entries: of the history, …}

  const cardFrames = () => document.querySelectorAll("iframe[data-card]");

  function know(frame) {
    const sender = {frame, since: 0, messages: 0, moves: 0, entries: history.length};
    Object.assign(sender, {heard: performance.now(), patience: LOADING_MS});
    frame.addEventListener("load", () => Object.assign(sender, {heard: performance.now(), patience: PATIENCE_MS}));
    senders.set(frame.contentWindow, sender);
  }

  function fit(frame, height) {
    if (frame.dataset.card === "fixed") return;
    const borders = frame.offsetHeight - frame.clientHeight;
    frame.style.height = `${Math.min(Math.max(Math.ceil(height) + borders, MIN_HEIGHT), MAX_HEIGHT)}px`;
  }

  // At most once for each picture on the screen
  function fitSoon(sender, height) {
    if (!Number.isFinite(height)) return;
    if (sender.height === undefined) {
      requestAnimationFrame(() => {
        fit(sender.frame, sender.height);
        sender.height = undefined;
      });
    }
    sender.height = height;
  }

  function sendsTooMuch(sender, now) {
    if (now - sender.since > 1000) Object.assign(sender, {since: now, messages: 0});
    sender.messages += 1;
    return sender.messages > MOST_MESSAGES;
  }

  function takeOut({frame}, reason) {
    const event = new CustomEvent("card:taken-out", {bubbles: true, cancelable: true, detail: reason});
    if (!frame.dispatchEvent(event)) return; // whoever put it there has taken it out
    const place = document.createElement("p");
    const again = document.createElement("button");
    place.className = "pad muted";
    again.type = "button";
    again.textContent = "Load it again";
    again.addEventListener("click", () => {
      place.replaceWith(frame);
      relays.delete(frame);
      start();
    });
    place.append(reason, " ", again);
    place.setAttribute("role", "status");
    frame.replaceWith(place);
  }

  // Back must lead where it led before the card's moves
  function countMoves(sender, steps) {
    sender.moves += steps;
    if (sender.moves <= MOST_MOVES) return;
    takeOut(sender, TOO_MANY_MOVES);
    if (history.length > sender.entries) history.go(sender.entries - history.length);
  }

  function noteOwnMove() {
    for (const {contentWindow} of cardFrames()) Object.assign(senders.get(contentWindow) ?? {}, {entries: history.length});
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
    const sender = event.source && senders.get(event.source);
    if (!sender?.frame.isConnected) return;
    Object.assign(sender, {heard: performance.now(), patience: PATIENCE_MS});
    if (sendsTooMuch(sender, event.timeStamp)) {
      takeOut(sender, TOO_MANY_MESSAGES);
      return;
    }
    const {card, height, steps} = event.data ?? {};
    if (card === "height") fitSoon(sender, height);
    if (card === "ready") sendLast(sender.frame);
    if (card === "stale") reload(sender.frame);
    if (card === "moved") countMoves(sender, steps);
  });

  // One that never rests lets others wait that stand beside it: browsers give them one process
  function lookAfterNeighbours() {
    const now = performance.now();
    for (const frame of document.querySelectorAll('iframe[data-card="fixed"]')) {
      const sender = senders.get(frame.contentWindow);
      if (!sender) continue;
      if (document.hidden) sender.heard = now;
      if (now - sender.heard > sender.patience) takeOut(sender, NO_ANSWER);
      else send(frame, {card: "measure"});
    }
  }

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
      if (!senders.has(frame.contentWindow)) know(frame);
      send(frame, {card: "measure"}); // its first message may have come before our listener
      if (frame.dataset.live && !relays.has(frame)) relay(frame);
    }
  }

  start();
  setInterval(lookAfterNeighbours, PING_MS);
  addEventListener("hashchange", noteOwnMove);
  document.addEventListener("htmx:pushedIntoHistory", noteOwnMove);
  document.addEventListener("htmx:afterSettle", start); // frames in new fragments
  document.addEventListener("cards:shown", start);
})();
