// The film-strip: where an element says data-cards="…/v8/cards.json", the card of that version stands in a frame while
// it is in view. At most four are alive at any time, those nearest to the middle of the window; the pinned ones come
// first. What a card may do in its frame, and when it is taken out, is card.js's. The arrow keys go from card to card.

(() => {
  "use strict";

  const MOST_ALIVE = 4;
  const SETTLE_MS = 120; // what is only scrolled past is not loaded
  const NEAR = "304px"; // one card further on either side
  const WAITS = "Loads when it is nearer to the middle";
  const TOOK_KEYS = "This card was taken out, because it took the keyboard.";
  const NO_ANSWER = "Which cards there are could not be asked.";

  const places = Array.from(document.querySelectorAll("[data-cards]"), box => (
    // over: there is nothing to load, or nothing any more
    {box, pinned: !box.closest("[data-film]"), inView: false, cards: null, frame: null, over: false}
  ));

  const alive = () => places.filter(place => place.frame);

  function distance({box}) {
    const {left, right, top, bottom} = box.getBoundingClientRect();
    return Math.hypot((left + right - innerWidth) / 2, (top + bottom - innerHeight) / 2);
  }

  function wanted() {
    const near = places.filter(place => place.inView && !place.over);
    const far = new Map(near.map(place => [place, distance(place)]));
    return near.sort((one, other) => other.pinned - one.pinned || far.get(one) - far.get(other)).slice(0, MOST_ALIVE);
  }

  function say(place, text, ...more) {
    const said = document.createElement("p");
    said.className = "film-none";
    said.append(text, ...more);
    place.box.replaceChildren(said);
  }

  function unload(place) {
    place.frame = null;
    say(place, WAITS);
  }

  // Until somebody asks for it again
  function takeOut(place, reason) {
    const again = document.createElement("button");
    again.className = "button";
    again.type = "button";
    again.textContent = "Load it again";
    again.addEventListener("click", () => {
      place.over = false;
      place.cards = null;
      settle();
    });
    Object.assign(place, {frame: null, over: true});
    say(place, reason, again);
  }

  async function cardsOf(place) {
    const answer = await fetch(place.box.dataset.cards, {headers: {Accept: "application/json"}});
    if (!answer.ok) throw new Error(answer.statusText);
    return answer.json();
  }

  function choose({box}, cards) {
    const named = box.dataset.cardNamed;
    return named ? cards.find(card => card.title === named) : cards[0];
  }

  function show(place, card) {
    const frame = document.createElement("iframe");
    frame.className = "card";
    frame.title = place.box.dataset.title;
    frame.inert = true; // a picture: who wants to use it goes to the page of the version
    frame.referrerPolicy = "no-referrer";
    frame.setAttribute("sandbox", "allow-scripts");
    frame.dataset.card = "fixed";
    frame.src = `${card.url}?embed=true`;
    place.frame = frame;
    place.box.replaceChildren(frame);
    document.dispatchEvent(new Event("cards:shown"));
  }

  async function load(place) {
    if (place.frame || place.cards) return;
    say(place, "Loading…");
    place.cards = cardsOf(place);
    try {
      place.known = await place.cards;
    } catch {
      takeOut(place, NO_ANSWER);
      return;
    }
    settle();
  }

  function fill(place) {
    const card = choose(place, place.known.cards);
    if (card) {
      show(place, card);
      return;
    }
    place.over = true;
    say(place, place.known.missing ?? `It has no card called ${place.box.dataset.cardNamed}.`);
  }

  function settle() {
    const now = wanted();
    for (const place of alive()) if (!now.includes(place)) unload(place);
    for (const place of now) {
      if (place.known && !place.frame) fill(place);
      else load(place);
    }
    if (now.some(place => place.over)) settle(); // there was no card: the next one has its turn
  }

  let timer;
  function settleSoon() {
    clearTimeout(timer);
    timer = setTimeout(settle, SETTLE_MS);
  }

  const seen = new IntersectionObserver(entries => {
    for (const {target, isIntersecting} of entries) {
      const place = places.find(({box}) => box === target);
      place.inView = isIntersecting;
      if (!isIntersecting && place.frame) unload(place);
    }
    settleSoon();
  }, {scrollMargin: NEAR, rootMargin: "64px"});

  for (const place of places) {
    say(place, WAITS);
    seen.observe(place.box);
    place.box.addEventListener("card:taken-out", event => {
      event.preventDefault();
      takeOut(place, event.detail);
      settle();
    });
  }

  // A frame here is inert, so none is focused but by its card
  let focused;
  document.addEventListener("focusin", event => { focused = event.target; });
  addEventListener("blur", () => {
    const place = places.find(({frame}) => frame && frame === document.activeElement);
    if (!place) return;
    takeOut(place, TOOK_KEYS);
    focused?.focus({preventScroll: true});
    settleSoon();
  });

  // ---- keys

  const STEPS = {ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity};
  const behavior = matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth";

  function toCard(film, step) {
    const items = [...film.querySelectorAll("li")];
    const middle = item => Math.abs(distance({box: item}));
    const current = items.indexOf(document.activeElement.closest("li"));
    const nearest = items.indexOf(items.reduce((one, other) => middle(other) < middle(one) ? other : one));
    const next = items[Math.min(Math.max((current < 0 ? nearest : current) + step, 0), items.length - 1)];
    next.querySelector("a").focus({preventScroll: true});
    next.scrollIntoView({inline: "center", block: "nearest", behavior});
  }

  for (const film of document.querySelectorAll("[data-film]")) {
    film.addEventListener("keydown", event => {
      const step = STEPS[event.key];
      if (!step || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      toCard(film, step);
    });
    film.addEventListener("scroll", settleSoon, {passive: true});
  }
  addEventListener("scroll", settleSoon, {passive: true});
  addEventListener("resize", settleSoon);
})();
