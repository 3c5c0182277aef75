// Lineage drawings: zoom, pan, paths through a node, arrow keys, and opening in place. All links work without it.
// `elementAround` is that of app.js, which every page has.
"use strict";

(() => {
  const LEAST = 0.2;
  const MOST = 2.5;
  const READABLE = 10 / 11; // the smallest text has 11 pixels, and is to be seen with 10 at least
  const STEP = 1.25;
  const views = new Map(); // by the id of the section: zoom, and the anchor that keeps its place when the drawing is replaced

  const number = (element, name) => Number(element.dataset[name]);
  const frameOf = (element) => element.closest("[data-lineage]")?.querySelector("[data-frame]");
  const drawingIn = (frame) => frame.querySelector("[data-drawing]");
  const nodesOf = (drawing) => [...drawing.querySelectorAll(".node")];

  // ---- zoom: the drawing's size changes, its frame scrolls

  function zoomOf(drawing) {
    return drawing.getBoundingClientRect().width / drawing.viewBox.baseVal.width;
  }

  function setZoom(frame, wanted, x = frame.clientWidth / 2, y = frame.clientHeight / 2) {
    const drawing = drawingIn(frame);
    const before = zoomOf(drawing);
    const zoom = Math.min(Math.max(wanted, LEAST), MOST);
    const width = Math.round(drawing.viewBox.baseVal.width * zoom);
    drawing.setAttribute("width", width); // the style has its height follow
    frame.querySelector("[data-least]").setAttribute("width", width);
    frame.scrollLeft = (frame.scrollLeft + x) * (zoom / before) - x;
    frame.scrollTop = (frame.scrollTop + y) * (zoom / before) - y;
    remember(frame).zoom = zoom;
  }

  function fitting(frame) {
    const { width, height } = drawingIn(frame).viewBox.baseVal;
    const tallest = parseFloat(getComputedStyle(frame).maxHeight) || frame.clientHeight;
    return Math.min(1, (frame.clientWidth - 2) / width, tallest / height);
  }

  function remember(frame) {
    const id = frame.closest("[data-lineage]").id;
    if (!views.has(id)) views.set(id, {});
    return views.get(id);
  }

  // ---- the visible part of the drawing

  function centre(frame, node) {
    const box = node.getBoundingClientRect();
    const around = frame.getBoundingClientRect();
    frame.scrollLeft += box.left + box.width / 2 - around.left - around.width / 2;
    frame.scrollTop += box.top + box.height / 2 - around.top - around.height / 2;
  }

  function offset(frame, node) {
    const box = node.getBoundingClientRect();
    const around = frame.getBoundingClientRect();
    return [box.left - around.left, box.top - around.top];
  }

  function setUp(section) {
    const frame = section.querySelector("[data-frame]");
    if (!frame || !drawingIn(frame)) return;
    const view = remember(frame);
    const drawing = drawingIn(frame);
    if (view.anchor) {
      setZoom(frame, view.zoom ?? 1);
      const same = nodesOf(drawing).find((node) => node.dataset.node === view.anchor.node);
      if (same) {
        // a drawing smaller than its frame is moved by its margin, a larger one by scrolling
        drawing.style.marginLeft = "0px";
        frame.scrollLeft = 0;
        const [left, top] = offset(frame, same);
        drawing.style.marginLeft = `${Math.max(view.anchor.left - left, 0)}px`;
        frame.scrollLeft = Math.max(left - view.anchor.left, 0);
        frame.scrollTop += top - view.anchor.top;
        if (view.anchor.hadFocus) same.focus({ preventScroll: true });
      }
      view.anchor = null;
      return;
    }
    // the style fits the width as far as that is readable; if all of it is so in the height too, then that as well
    const whole = fitting(frame);
    if (READABLE <= whole && whole < zoomOf(drawing)) setZoom(frame, whole);
    centre(frame, drawing.querySelector(".node.focus") ?? drawing.querySelector(".node"));
  }

  // keep the names of the lanes visible
  document.addEventListener("scroll", (event) => {
    const drawing = event.target.matches?.("[data-frame]") && drawingIn(event.target);
    if (!drawing) return;
    const away = Math.round(event.target.scrollLeft / zoomOf(drawing));
    for (const name of drawing.querySelectorAll(".lane-name")) name.setAttribute("transform", `translate(${away} 0)`);
  }, true);

  // ---- opening in place: htmx handles links of pages, not those in SVG

  function open(link) {
    const section = link.closest("[data-lineage]");
    const frame = frameOf(link);
    const drawing = drawingIn(frame);
    const node = link.matches(".node") ? link : nodesOf(drawing)[number(link, "of")];
    const [left, top] = offset(frame, node);
    const hadFocus = link.contains(document.activeElement);
    const view = remember(frame);
    view.zoom = zoomOf(drawing);
    view.anchor = { node: stays(drawing, node), left, top, hadFocus };
    if (view.anchor.node !== node.dataset.node) {
      const beside = nodesOf(drawing).find((other) => other.dataset.node === view.anchor.node);
      [view.anchor.left, view.anchor.top] = offset(frame, beside);
    }
    const push = section.id === "lineage" ? { push: "true" } : {};
    htmx.ajax("GET", link.href.baseVal, { source: section, target: section, swap: "outerHTML show:none", ...push });
  }

  // a group may be gone once it is open, so a neighbour is the anchor instead
  function stays(drawing, node) {
    if (!node.classList.contains("group")) return node.dataset.node;
    const place = number(node, "n");
    const [link] = linksOf(drawing).filter(({ a, b }) => a === place || b === place);
    return nodesOf(drawing)[link ? (link.a === place ? link.b : link.a) : 0].dataset.node;
  }

  // ---- paths through a node

  function linksOf(drawing) {
    drawing.lineageLinks ??= [...drawing.querySelectorAll(".links path")].map((path) => {
      const [a, b] = path.dataset.ends.split(" ").map(Number);
      return { path, a, b };
    });
    return drawing.lineageLinks;
  }

  function reached(links, begin, from, to) {
    const next = new Map();
    for (const link of links) next.set(link[from], [...(next.get(link[from]) ?? []), link]);
    const seen = new Set([begin]);
    const taken = new Set();
    for (const place of seen) {
      for (const link of next.get(place) ?? []) {
        taken.add(link.path);
        seen.add(link[to]);
      }
    }
    return [seen, taken];
  }

  function trace(node) {
    const drawing = node.closest("[data-drawing]");
    clear(drawing);
    const links = linksOf(drawing);
    const place = number(node, "n");
    const [down, downLinks] = reached(links, place, "a", "b");
    const [up, upLinks] = reached(links, place, "b", "a");
    for (const other of nodesOf(drawing)) {
      const at = number(other, "n");
      other.classList.toggle("on-way", down.has(at) || up.has(at));
    }
    for (const { path } of links) path.classList.toggle("on-way", downLinks.has(path) || upLinks.has(path));
    drawing.classList.add("is-tracing");
  }

  function clear(drawing) {
    drawing.classList.remove("is-tracing");
    for (const marked of drawing.querySelectorAll(".on-way")) marked.classList.remove("on-way");
  }

  // ---- arrow keys: along the arrows, and up and down a column

  function beside(node, key) {
    const drawing = node.closest("[data-drawing]");
    const nodes = nodesOf(drawing);
    const place = number(node, "n");
    const box = node.getBoundingClientRect();
    const middle = box.top + box.height / 2;
    const away = (other) => other.getBoundingClientRect().top + other.getBoundingClientRect().height / 2 - middle;
    const near = (found) => found.sort((one, other) => Math.abs(away(one)) - Math.abs(away(other)))[0];
    if (key === "ArrowRight" || key === "ArrowLeft") {
      const [from, to] = key === "ArrowRight" ? ["a", "b"] : ["b", "a"];
      return near(linksOf(drawing).filter((link) => link[from] === place && link[to] !== place).map((link) => nodes[link[to]]));
    }
    const column = nodes.filter((other) => {
      const its = other.getBoundingClientRect();
      return other !== node && its.left < box.right && its.right > box.left;
    });
    return near(column.filter((other) => (key === "ArrowDown" ? away(other) > 0 : away(other) < 0)));
  }

  // ---- events, delegated, so that drawings inserted by htmx need no wiring

  document.addEventListener("click", (event) => {
    const button = elementAround(event, "[data-zoom]");
    if (button) {
      const frame = frameOf(button);
      const now = zoomOf(drawingIn(frame));
      setZoom(frame, { in: now * STEP, out: now / STEP, fit: fitting(frame) }[button.dataset.zoom]);
      return;
    }
    if (dragged) {
      event.preventDefault();
      return;
    }
    const link = elementAround(event, "[data-drawing] [data-open]");
    if (!link || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    open(link);
  }, true);

  document.addEventListener("keydown", (event) => {
    const node = elementAround(event, "[data-drawing] .node");
    if (!node || !event.key?.startsWith("Arrow") || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    beside(node, event.key)?.focus();
  });

  document.addEventListener("focusin", (event) => {
    const node = elementAround(event, "[data-drawing] .node");
    if (!node?.matches(":focus-visible")) return;
    node.scrollIntoView({ block: "nearest", inline: "nearest" });
    trace(node);
  });

  document.addEventListener("focusout", (event) => {
    const drawing = elementAround(event, "[data-drawing]");
    if (drawing) clear(drawing);
  });

  document.addEventListener("pointerover", (event) => {
    const node = event.pointerType === "mouse" && elementAround(event, "[data-drawing] .node");
    if (node) trace(node);
  });

  document.addEventListener("pointerout", (event) => {
    const node = elementAround(event, "[data-drawing] .node");
    if (node && !node.contains(event.relatedTarget)) clear(node.closest("[data-drawing]"));
  });

  document.addEventListener("wheel", (event) => {
    const frame = event.ctrlKey && elementAround(event, "[data-frame]");
    if (!frame) return;
    event.preventDefault();
    const around = frame.getBoundingClientRect();
    const zoom = zoomOf(drawingIn(frame)) * Math.exp(-event.deltaY / 200);
    setZoom(frame, zoom, event.clientX - around.left, event.clientY - around.top);
  }, { passive: false });

  // pan with the mouse; fingers scroll by themselves, and two of them pinch
  let drag = null;
  let dragged = false;

  document.addEventListener("pointerdown", (event) => {
    dragged = false;
    const frame = event.pointerType === "mouse" && event.button === 0 && elementAround(event, "[data-frame]");
    if (!frame || elementAround(event, "a")) return;
    drag = { frame, x: event.clientX, y: event.clientY };
  });

  document.addEventListener("pointermove", (event) => {
    if (!drag) return;
    const [x, y] = [event.clientX - drag.x, event.clientY - drag.y];
    if (!dragged && Math.hypot(x, y) < 4) return;
    dragged = true;
    drag.frame.classList.add("is-dragged");
    drag.frame.scrollLeft -= x;
    drag.frame.scrollTop -= y;
    [drag.x, drag.y] = [event.clientX, event.clientY];
  });

  for (const end of ["pointerup", "pointercancel"]) {
    document.addEventListener(end, () => {
      drag?.frame.classList.remove("is-dragged");
      drag = null;
      setTimeout(() => { dragged = false; });
    });
  }

  let pinch = null;
  const apart = ([one, other]) => Math.hypot(one.clientX - other.clientX, one.clientY - other.clientY);

  document.addEventListener("touchstart", (event) => {
    const frame = event.touches.length === 2 && elementAround(event, "[data-frame]");
    pinch = frame ? { frame, apart: apart(event.touches), zoom: zoomOf(drawingIn(frame)) } : null;
  }, { passive: true });

  document.addEventListener("touchmove", (event) => {
    if (!pinch || event.touches.length !== 2) return;
    event.preventDefault();
    const [one, other] = event.touches;
    const around = pinch.frame.getBoundingClientRect();
    const [x, y] = [(one.clientX + other.clientX) / 2 - around.left, (one.clientY + other.clientY) / 2 - around.top];
    setZoom(pinch.frame, (pinch.zoom * apart(event.touches)) / pinch.apart, x, y);
  }, { passive: false });

  const setUpAll = () => document.querySelectorAll("[data-lineage]").forEach(setUp);
  document.addEventListener("htmx:afterSwap", (event) => {
    const id = event.detail.target?.id; // the element itself has been replaced
    const section = id ? document.getElementById(id) : null;
    if (section?.matches("[data-lineage]")) setUp(section);
  });
  document.addEventListener("DOMContentLoaded", setUpAll);
  if (document.readyState === "complete") setUpAll();
})();
