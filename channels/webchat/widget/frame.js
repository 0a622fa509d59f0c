// @ts-check
/** How the parts of the panel stand together, and what Escape does in it. */
import { iconButton, make } from "./dom.js";

/** Return the panel's element with all its parts in it, hidden. */
export function frame(/** @type {any} */ panel) {
  const { asking, composer, lines, menu, notices, quick, title, words } = panel;
  const head = make("div", { class: "head" }, make("div", {}, title, notices.state), menu.opener,
    iconButton("close", words.say("close"), () => panel.close()));
  const foot = make("div", { class: "foot" }, lines.newest, quick.element, asking.element, composer.element);
  const element = make("section", { class: "panel", role: "dialog", "aria-modal": "false", "aria-labelledby": "title", hidden: true,
    lang: words.language, onkeydown: (/** @type {KeyboardEvent} */ event) => leave(event, panel) },
    head, menu.element, notices.link, notices.said, lines.element, lines.log, foot);
  composer.acceptDrops(element);
  return element;
}

/** Close what is open: the menu first, then the panel. */
function leave(/** @type {KeyboardEvent} */ event, /** @type {any} */ panel) {
  if (event.key !== "Escape" || event.isComposing) return;
  event.stopPropagation();
  if (!panel.menu.isOpen) return panel.close();
  panel.menu.turn(false);
  panel.menu.opener.focus();
}
