// The first script of every card's page. Only scripts with the page's nonce run, and nothing but this one can read it:
// it gives it to the scripts of the page itself, so that in a frame inside of it none ever runs. The card can change
// every object that it reaches; therefore all that is used once the card has begun is taken here, before.
(() => {
  "use strict";

  const {apply, deleteProperty, getOwnPropertyDescriptor, ownKeys} = Reflect;
  const method = (type, name) => {
    const found = type.prototype[name];
    return (target, ...given) => apply(found, target, given);
  };
  const accessor = (type, name, part) => {
    const found = getOwnPropertyDescriptor(type.prototype, name)[part];
    return (target, ...given) => apply(found, target, given);
  };
  const getter = (type, name) => accessor(type, name, "get");
  const changeResult = (type, name, change) => {
    const before = method(type, name);
    type.prototype[name] = function (...given) { return change(before(this, ...given)); };
  };
  const count = getter(NodeList, "length");
  const each = (nodes, act) => { for (let i = 0; i < count(nodes); i += 1) act(nodes[i]); };

  // Scripts

  const Svg = SVGElement;
  const setNonce = accessor(HTMLElement, "nonce", "set");
  const setSvgNonce = accessor(SVGElement, "nonce", "set");
  const nonce = document.currentScript.nonce;
  document.currentScript.remove();
  const allow = script => script instanceof Svg ? setSvgNonce(script, nonce) : setNonce(script, nonce);
  const allowIfScript = element => {
    if (element.localName === "script") allow(element);
    return element;
  };
  const scriptsIn = method(DocumentFragment, "querySelectorAll");
  changeResult(Document, "createElement", allowIfScript);
  changeResult(Document, "createElementNS", allowIfScript);
  changeResult(Range, "createContextualFragment", fragment => {
    each(scriptsIn(fragment, "script"), allow);
    return fragment;
  });

  // WebRTC, which no policy forbids; what tells the nonce; what makes trees that nobody watches

  for (const name of ownKeys(window)) {
    const type = getOwnPropertyDescriptor(window, name).value;
    if (/^(webkit|moz)?RTC|^ReportingObserver$/.test(String(name))) deleteProperty(window, name);
    if (typeof type !== "function" || !type.prototype) continue;
    for (const holder of [type, type.prototype]) {
      for (const key of ownKeys(holder)) {
        if (/^nonce$|^originalPolicy$|HTMLUnsafe$/.test(String(key))) deleteProperty(holder, key);
      }
    }
  }

  // History: the card adds nothing to it and does not move in it, and links lead within its page only. What it does
  // with `location` can't be stopped here: the page around the frame is told

  const MOST_ENTRIES = 50; // browsers keep no more
  const replaceState = method(History, "replaceState");
  Object.assign(History.prototype, {
    pushState(state, unused, address) { replaceState(this, state, unused, address); },
    back() {},
    forward() {},
    go() {},
  });
  addEventListener("click", event => {
    const link = event.composedPath()[0].closest?.("a, area");
    const address = link?.getAttribute("href") ?? link?.getAttribute("xlink:href");
    if (address == null) return;
    event.preventDefault();
    if (address.startsWith("#")) document.getElementById(decodeURI(address.slice(1)))?.scrollIntoView();
  }, true);
  const around = parent, post = parent.postMessage, visits = history, lengthOf = getter(History, "length");
  let entries = history.length;
  addEventListener("hashchange", () => {
    const now = lengthOf(visits), steps = now < MOST_ENTRIES ? now - entries : 1;
    entries = now;
    if (steps > 0) apply(post, around, [{card: "moved", steps}, "*"]);
  });

  // To open the page anew would end what is heard here

  const insertHtml = method(Element, "insertAdjacentHTML");
  const write = (...texts) => insertHtml(document.body || document.head, "beforeend", texts.join(""));
  Object.assign(Document.prototype, {open() { return this; }, close() {}, write, writeln: write});

  // The tree: its scripts may run, attributes such as `onclick` are carried out, frames inside of it are taken out

  const FRAMES = "iframe, frame, object, embed, fencedframe";
  const HANDLERS = ownKeys(HTMLElement.prototype).filter(name => String(name).startsWith("on"));
  const WATCHED = `script, ${FRAMES}, ${HANDLERS.map(name => `[${name}]`)}`;
  const OPTIONS = {childList: true, subtree: true, attributeFilter: HANDLERS};
  const Nodes = Set, Handler = Function, report = reportError;
  const add = method(Set, "add"), has = method(Set, "has");
  const nodeType = getter(Node, "nodeType"), parentOf = getter(Node, "parentNode");
  const addedNodes = getter(MutationRecord, "addedNodes");
  const attributeName = getter(MutationRecord, "attributeName");
  const target = getter(MutationRecord, "target");
  const matches = method(Element, "matches");
  const allIn = method(Element, "querySelectorAll");
  const attribute = method(Element, "getAttribute");
  const replaceWith = method(Element, "replaceWith");
  const observe = method(MutationObserver, "observe");
  const attachShadow = method(Element, "attachShadow");

  function hear(element, name) {
    const code = attribute(element, name);
    try {
      element[name] = code === null ? null : Handler("event", `with (this.ownerDocument) with (this) {${code}\n}`);
    } catch (error) {
      report(error);
    }
  }

  function tend(element) {
    if (matches(element, "script")) allow(element);
    if (matches(element, FRAMES)) replaceWith(element, "[A frame inside of a card is not shown.]");
    for (let i = 0; i < HANDLERS.length; i += 1) {
      if (attribute(element, HANDLERS[i]) !== null) hear(element, HANDLERS[i]);
    }
  }

  const watcher = new MutationObserver(records => {
    const seen = new Nodes();
    for (let i = 0; i < records.length; i += 1) {
      const name = attributeName(records[i]);
      if (name) hear(target(records[i]), name);
      else each(addedNodes(records[i]), node => {
        if (nodeType(node) !== 1) return;
        add(seen, node);
        if (has(seen, parentOf(node))) return; // it was tended with its parent
        if (matches(node, WATCHED)) tend(node);
        each(allIn(node, WATCHED), tend);
      });
    }
  });
  const watch = root => observe(watcher, root, OPTIONS);

  Element.prototype.attachShadow = function (options) {
    const root = attachShadow(this, {...options, clonable: false}); // nobody would watch a clone's tree
    watch(root);
    return root;
  };
  watch(document);
})();
