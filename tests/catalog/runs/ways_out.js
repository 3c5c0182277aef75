// What a card may try to reach the network with. `way` names what is tried here; those that end the page are tried in a
// card of their own. `PORT` is that of a listener on UDP and TCP.
const at = "127.0.0.1:PORT", address = `http://${at}/`, wait = seconds => new Promise(done => setTimeout(done, seconds * 1000));
const CALL = `try {
  const Peer = self.RTCPeerConnection || self.webkitRTCPeerConnection;
  self.kept = new Peer({iceServers: [{urls: ["stun:${at}"]}, {urls: "turn:${at}?transport=tcp", username: "u", credential: "c"}]});
  kept.createDataChannel("out");
  kept.createOffer().then(offer => kept.setLocalDescription(offer));
} catch {}`;
const script = (code = CALL, nonce = "") => `<${"script"} nonce="${nonce}">${code}</${"script"}>`;
const asAttribute = text => text.replaceAll("&", "&amp;").replaceAll('"', "&quot;").replaceAll("<", "&lt;");
const framed = (page = script()) => `<iframe srcdoc="${asAttribute(page)}"></iframe>`;
const hidden = `<div><template ${"shadowroot"}mode="closed">${framed()}</template></div>`;
const url = (type, code) => type + encodeURIComponent(code);
const into = (parent, name, members) => {
  const made = Object.assign(document.createElement(name), members);
  parent.append(made);
  return made;
};
const holder = () => into(document.body, "div", {});
const callFrom = view => {
  const Peer = view.RTCPeerConnection || view.webkitRTCPeerConnection;
  const made = new Peer({iceServers: [{urls: `stun:${at}`}]});
  made.createDataChannel("out");
  made.createOffer().then(offer => made.setLocalDescription(offer));
  (self.calls ??= []).push(made);
};

const ways = {
  // WebRTC in the card's own realm
  own: () => callFrom(self),
  indirectly: () => callFrom({RTCPeerConnection: RTCRtpSender.prototype.constructor}),
  bySource: () => (0, eval)(CALL),
  // In a new realm, at once
  contentWindow: () => callFrom(into(document.body, "iframe", {}).contentWindow),
  byNumber: () => { into(document.body, "iframe", {}); callFrom(window[window.length - 1]); },
  ofObject: () => callFrom(into(document.body, "object", {type: "text/html", data: "about:blank"}).contentWindow),
  written: () => { const page = into(document.body, "iframe", {}).contentDocument; page.open(); page.write(script()); },
  // In a new realm, by its own script
  srcdoc: () => into(document.body, "iframe", {srcdoc: script()}),
  srcdocLater: () => into(document.body, "iframe", {}).setAttribute("srcdoc", script()),
  srcdocBusy: () => { into(document.body, "iframe", {srcdoc: script()}); const end = Date.now() + 300; while (Date.now() < end); },
  srcdocHandler: () => into(document.body, "iframe", {srcdoc: `<img src="data:," onerror="${asAttribute(CALL)}">`}),
  srcdocFreed: () => { const frame = document.createElement("iframe"); frame.sandbox = "allow-scripts allow-same-origin"; frame.srcdoc = script(); document.body.append(frame); },
  parsed: () => { holder().innerHTML = framed(); },
  parsedElsewhere: () => document.body.append(new DOMParser().parseFromString(framed(), "text/html").body.firstChild),
  fragment: () => document.body.append(document.createRange().createContextualFragment(framed())),
  shadow: () => { holder().attachShadow({mode: "closed"}).innerHTML = framed(); },
  shadowClone: () => { const host = document.createElement("div"); host.attachShadow({mode: "open", clonable: true}).innerHTML = framed(); document.body.append(host.cloneNode(true)); },
  shadowDeclared: () => holder().setHTMLUnsafe(hidden),
  shadowParsed: () => document.body.append(document.adoptNode(Document.parseHTMLUnsafe(hidden).body.firstChild)),
  scriptUrl: () => into(document.body, "iframe", {src: url("javascript:", CALL)}),
  scriptUrlText: () => into(document.body, "iframe", {src: url("javascript:", JSON.stringify(script()))}),
  dataUrl: () => into(document.body, "iframe", {src: url("data:text/html,", script())}),
  blobUrl: () => into(document.body, "iframe", {src: URL.createObjectURL(new Blob([script()], {type: "text/html"}))}),
  object: () => into(document.body, "object", {type: "text/html", data: url("data:text/html,", script())}),
  embed: () => into(document.body, "embed", {type: "text/html", src: url("data:text/html,", script())}),
  frameset: () => into(into(document.body, "frameset", {}), "frame", {src: url("javascript:", JSON.stringify(script()))}),
  fenced: () => into(document.body, "fencedframe", {config: {url: url("data:text/html,", script())}}),
  popup: () => open(url("javascript:", JSON.stringify(script()))),
  worker: () => new Worker(URL.createObjectURL(new Blob([`fetch("${address}")`]))),
  module: () => import(url("data:text/javascript,", CALL)),
  transformed: () => {
    const sheet = `<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform"><xsl:template match="/">${framed().replace("<iframe", '<iframe xmlns="http://www.w3.org/1999/xhtml"')}</xsl:template></xsl:stylesheet>`;
    const source = new DOMParser().parseFromString(sheet, "text/xml"), processor = new XSLTProcessor();
    processor.importStylesheet(source);
    document.body.append(processor.transformToFragment(source, document));
  },
  // With the nonce, if it can be learnt
  nonce: () => {
    const known = [...document.querySelectorAll("script")].map(each => each.nonce || each.getAttribute("nonce"));
    known.filter(Boolean).forEach(nonce => into(document.body, "iframe", {srcdoc: script(CALL, nonce)}));
  },
  nonceOfReport: () => {
    const use = policy => into(document.body, "iframe", {srcdoc: script(CALL, /'nonce-([^']+)/.exec(policy)[1])});
    addEventListener("securitypolicyviolation", event => use(event.originalPolicy), true);
    self.ReportingObserver && new ReportingObserver(all => all.forEach(each => use(each.body.originalPolicy)), {buffered: true}).observe();
    into(document.body, "img", {src: address});
  },
  foreignScript: () => { const copy = document.currentScript.cloneNode(false); copy.src = address; document.head.append(copy); },
  // Without WebRTC
  fetch: () => fetch(address),
  socket: () => new WebSocket(`ws://${at}/`),
  transport: () => new WebTransport(`https://${at}/`),
  beacon: () => navigator.sendBeacon(address, "out"),
  late: () => fetchLater(address, {activateAfter: 0}),
  image: () => { new Image().src = address; },
  video: () => into(document.body, "video", {src: address}),
  style: () => into(document.head, "style", {textContent: `@import "${address}"; @font-face { font-family: out; src: url(${address}) } body { font-family: out; background: url(${address}) }`}),
  links: () => ["preconnect", "dns-prefetch", "prefetch", "prerender", "modulepreload", "stylesheet", "icon"].forEach(rel => into(document.head, "link", {rel, href: address})),
  speculation: () => into(document.head, "script", {type: "speculationrules", textContent: JSON.stringify({prefetch: [{urls: [address], eagerness: "immediate"}]})}),
  frame: () => into(document.body, "iframe", {src: address}),
  refreshingFrame: () => into(document.body, "iframe", {srcdoc: `<meta http-equiv="refresh" content="0; url=${address}">`}),
  form: () => into(document.body, "form", {action: address}).submit(),
  link: () => into(document.body, "a", {href: address, ping: address}).click(),
  newTab: () => into(document.body, "a", {href: address, target: "_blank"}).click(),
  download: () => into(document.body, "a", {href: address, download: "out"}).click(),
  top: () => { top.location = address; },
};
// They end the page
const endings = {
  scriptText: () => { location = url("javascript:", JSON.stringify(script())); },
  opened: () => open(url("javascript:", JSON.stringify(script())), "_self"),
  blob: () => { location = URL.createObjectURL(new Blob([script()], {type: "text/html"})); },
  data: () => { location = url("data:text/html,", script()); },
  away: () => { location = address; },
  refresh: () => into(document.head, "meta", {httpEquiv: "refresh", content: `0; url=${address}`}),
  rewritten: () => { document.open(); document.write(script(), hidden); document.close(); },
};

const way = "WAY", tried = way === "all" ? Object.values(ways) : [endings[way]];
for (const attempt of tried) {
  try {
    attempt()?.catch?.(() => {});
  } catch {
    // refused, as it should be
  }
}
