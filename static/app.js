// Enhances the pages, all of which work without it. It is loaded before the body, so that the theme is set before
// anything is painted.
"use strict";

document.documentElement.classList.add("js");

// ---- theme: as the system, light or dark

const THEMES = ["system", "light", "dark"];

function storedTheme() {
  try {
    const theme = localStorage.getItem("theme");
    return THEMES.includes(theme) ? theme : "system";
  } catch {
    return "system"; // storage may be disabled
  }
}

function applyTheme(theme) {
  if (theme === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  const button = document.querySelector("[data-theme-button]");
  if (!button) return;
  const label = theme === "system" ? "Theme: as the system" : `Theme: ${theme}`;
  button.setAttribute("aria-label", label);
  button.title = label;
}

function nextTheme() {
  const theme = THEMES[(THEMES.indexOf(storedTheme()) + 1) % THEMES.length];
  try {
    localStorage.setItem("theme", theme);
  } catch {
    // the choice is then for this page only
  }
  applyTheme(theme);
}

applyTheme(storedTheme());

// ---- times: kept relative to now; the same table as catalog/templatetags/times.py

const UNITS = [
  [2 * 365 * 86400, 365 * 86400, "y"],
  [60 * 86400, 30 * 86400, "mo"],
  [86400, 86400, "d"],
  [3600, 3600, "h"],
  [60, 60, "min"],
  [10, 1, "s"],
];

function relativeTime(at, now) {
  const seconds = Math.round((now - at) / 1000);
  const unit = UNITS.find(([threshold]) => Math.abs(seconds) >= threshold);
  if (!unit) return "just now";
  const distance = `${Math.floor(Math.abs(seconds) / unit[1])} ${unit[2]}`;
  return seconds > 0 ? `${distance} ago` : `in ${distance}`;
}

function tick() {
  for (const time of document.querySelectorAll("time[datetime]:not([data-fixed])")) {
    const relative = relativeTime(Date.parse(time.dateTime), Date.now());
    const text = "span" in time.dataset ? relative.replace(/ ago$/, "") : relative;
    if (time.textContent !== text) time.textContent = text;
  }
}

// ---- copying

async function copy(button) {
  try {
    await navigator.clipboard.writeText(button.dataset.copy);
  } catch {
    // no clipboard without TLS: select the text, so that the keyboard can copy it
    const text = button.parentElement.querySelector("code");
    if (text) getSelection().selectAllChildren(text);
    return;
  }
  const picture = button.querySelector("use");
  const label = button.getAttribute("aria-label");
  picture.setAttribute("href", picture.getAttribute("href").replace(/#copy$/, "#copied"));
  button.setAttribute("aria-label", "Copied");
  setTimeout(() => {
    picture.setAttribute("href", picture.getAttribute("href").replace(/#copied$/, "#copy"));
    if (label !== "Copied") button.setAttribute("aria-label", label);
  }, 1500);
}

// ---- menus

function closeMenus(except) {
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!except || !menu.contains(except)) menu.open = false;
  }
}

function filterMenu(input) {
  const panel = input.closest(".panel");
  const wanted = input.value.trim().toLowerCase();
  let shown = 0;
  for (const item of panel.querySelectorAll("li")) {
    item.hidden = !item.textContent.toLowerCase().includes(wanted);
    if (!item.hidden) shown += 1;
  }
  panel.querySelector("[data-menu-empty]").hidden = shown > 0;
}

// ---- what the search box has found: arrows lead through it, Escape or another place closes it

function closeFound(except) {
  const finder = document.querySelector("[data-search]");
  if (finder && !(except && finder.contains(except))) finder.querySelector("#found").replaceChildren();
}

function moveInFound(event) {
  const finder = event.target.closest("[data-search]");
  const links = [...finder.querySelectorAll("#found a")];
  if (!links.length) return;
  event.preventDefault();
  const at = links.indexOf(event.target) + (event.key === "ArrowDown" ? 1 : -1);
  (at < 0 ? finder.querySelector("input") : links[Math.min(at, links.length - 1)]).focus();
}

// ---- events, delegated, so that fragments inserted by htmx need no wiring

// The element around an event that fits; events of the document itself, as extensions send them, have none
const elementAround = (event, selector) => (event.target instanceof Element ? event.target.closest(selector) : null);

document.addEventListener("click", (event) => {
  closeMenus(event.target);
  closeFound(event.target);
  const button = elementAround(event, "[data-copy], [data-theme-button]");
  if (!button) return;
  if ("copy" in button.dataset) copy(button);
  else nextTheme();
});

document.addEventListener("input", (event) => {
  const filter = elementAround(event, "[data-menu-filter]");
  if (filter) filterMenu(filter);
});

// toggle does not bubble, so listen in the capture phase
document.addEventListener("toggle", (event) => {
  elementAround(event, "details.menu[open]")?.querySelector("[data-menu-filter]")?.focus();
}, true);

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") {
    const menu = elementAround(event, "details.menu[open]");
    closeMenus();
    if (elementAround(event, "#found")) elementAround(event, "[data-search]").querySelector("input").focus();
    closeFound();
    menu?.querySelector("summary").focus();
  } else if (["ArrowDown", "ArrowUp"].includes(event.key) && elementAround(event, "[data-search]")) {
    moveInFound(event);
  } else if (event.key === "Enter" && elementAround(event, "[data-menu-filter]")) {
    elementAround(event, ".panel").querySelector("li:not([hidden]) a")?.click();
  } else if (event.key === "/" && !event.ctrlKey && !event.metaKey && !event.altKey) {
    if (event.target.isContentEditable || elementAround(event, "input, textarea, select")) return;
    const search = document.querySelector("[data-shortcut='/']");
    if (!search) return;
    event.preventDefault();
    search.focus();
    search.select();
  }
});

document.addEventListener("focusin", (event) => closeFound(event.target));

// a hidden page does not poll for news
document.addEventListener("htmx:beforeRequest", (event) => {
  if (document.hidden && elementAround(event, "[data-pulse]")) event.preventDefault();
});

document.addEventListener("DOMContentLoaded", () => {
  applyTheme(storedTheme());
  tick();
  setInterval(tick, 5000);
});
