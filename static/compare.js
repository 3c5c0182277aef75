// Cards side by side scroll together: the figures around their frames do, as the cards themselves are opaque. Each is
// moved as far along as the one that is scrolled, since cards differ in length.

(() => {
  "use strict";

  const cards = document.querySelector("[data-cards]");
  const choice = document.querySelector("[data-scroll-choice]");
  const frames = [...(cards?.querySelectorAll(".card-scroll") ?? [])];
  if (!choice || frames.length < 2) return;

  let together = true;
  const moved = new WeakMap(); // frame -> where it was put, so that its own event moves nobody

  const room = frame => frame.scrollHeight - frame.clientHeight;

  function follow(event) {
    const frame = event.currentTarget;
    if (moved.get(frame) === Math.round(frame.scrollTop)) {
      moved.delete(frame);
      return;
    }
    if (!together) return;
    const share = room(frame) > 0 ? frame.scrollTop / room(frame) : 0;
    for (const other of frames) {
      if (other === frame) continue;
      const place = Math.round(share * room(other));
      if (Math.round(other.scrollTop) === place) continue;
      moved.set(other, place);
      other.scrollTop = place;
    }
  }

  function choose(event) {
    together = event.currentTarget.dataset.scroll === "together";
    for (const button of choice.querySelectorAll("button")) {
      button.setAttribute("aria-pressed", String((button.dataset.scroll === "together") === together));
    }
  }

  choice.hidden = false;
  for (const button of choice.querySelectorAll("button")) button.addEventListener("click", choose);
  for (const frame of frames) frame.addEventListener("scroll", follow, {passive: true});
})();
