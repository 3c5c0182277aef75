// Charts: arrow keys go from version to version, and a tap shows a version's values before it leads there.
(() => {
  "use strict";
  document.addEventListener("keydown", (event) => {
    const link = event.target instanceof Element && event.target.closest("[data-plot] a");
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!link || !step || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const all = [...link.closest("[data-plot]").querySelectorAll("a")];
    const next = all[all.indexOf(link) + step];
    if (next) {
      event.preventDefault();
      next.focus();
    }
  });

  document.addEventListener("click", (event) => {
    const link = event.target instanceof Element && event.target.closest("[data-plot] a");
    for (const shown of document.querySelectorAll("[data-plot] a.is-shown")) {
      if (shown !== link) shown.classList.remove("is-shown");
    }
    if (link && event.pointerType === "touch" && !link.classList.contains("is-shown")) {
      event.preventDefault();
      link.classList.add("is-shown");
    }
  });
})();
