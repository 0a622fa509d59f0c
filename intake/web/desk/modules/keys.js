// @ts-check
// What can be done on a page, by name: elements that carry data-command and data-keys, and what modules add. Single keys
// can be changed, and turned off altogether (WCAG 2.1.4); those with Ctrl or ⌘ always work.
import * as choices from "./choices.js";
import { isWriting } from "./dom.js";

/** @type {Record<string, string>} */
const LATIN = { BracketLeft: "[", BracketRight: "]", Slash: "/", Period: "." };
const SEQUENCE_MS = 1_500; // between the two keys of "g l"

/** @typedef {{name: string, label: string, keys: string, run: () => void, element: HTMLElement | null}} Command */
/** @type {Map<string, Command>} */
const added = new Map();
let begun = "";
let begun_ms = 0;

/** Add something that no element of the page stands for. @param {string} name @param {{label: string, keys: string, run: () => void}} what */
export function add(name, what) {
  added.set(name, { name, element: null, ...what });
}

/** What can be done now, each once. @returns {Command[]} */
export function commands() {
  const found = new Map(added);
  for (const element of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-command]"))) {
    const name = element.dataset.command ?? "";
    if ((!found.get(name)?.element || isHere(element)) && isThere(element)) found.set(name, ofElement(name, element));
  }
  const { changed } = choices.chosen();
  return [...found.values()].map((each) => ({ ...each, keys: changed[each.name] ?? each.keys }));
}

/** Whether it is of the form that is being filled in: each may have a button that sends it. @param {HTMLElement} element */
function isHere(element) {
  const form = element.closest("form");
  return form !== null && form.contains(document.activeElement);
}

/** @param {HTMLElement} element */
function isThere(element) {
  if (element.hidden || element.matches(":disabled")) return false;
  const folded = element.closest("details:not([open])");
  return folded !== null ? folded.checkVisibility() : element.checkVisibility();
}

/** @param {string} name @param {HTMLElement} element @returns {Command} */
function ofElement(name, element) {
  return { name, label: labelOf(element), keys: element.dataset.keys ?? "", run: () => use(element), element };
}

/** @param {HTMLElement} element */
function labelOf(element) {
  const labelled = element instanceof HTMLInputElement || element instanceof HTMLSelectElement || element instanceof HTMLTextAreaElement;
  const said = element.dataset.label ?? element.getAttribute("aria-label") ?? (labelled ? element.labels?.[0]?.textContent : element.textContent);
  return (said ?? "").replace(/\s+/g, " ").trim();
}

/** Do what the element is for. @param {HTMLElement} element */
export function use(element) {
  for (let fold = element.closest("details:not([open])"); fold; fold = fold.parentElement?.closest("details:not([open])") ?? null) {
    if (!element.matches("summary")) fold.setAttribute("open", "");
    else break;
  }
  element.focus();
  if (element instanceof HTMLInputElement && isWriting(element)) element.select();
  else if (element.matches("a, button, summary, input[type=checkbox]")) element.click();
}

export function isOn() {
  return choices.chosen().single;
}

/** @param {boolean} isWanted */
export function turn(isWanted) {
  choices.choose({ single: isWanted });
}

/** Give a command other keys; "" = none, undefined = its own again. @param {string} name @param {string} [keys] */
export function change(name, keys) {
  choices.choose(keys === undefined ? { command: name } : { command: name, keys });
}

/** Whether a command has other keys than its own. @param {string} name */
export function isChanged(name) {
  return name in choices.chosen().changed;
}

/** Who has the keys already, or begins with them: those of two commands would be one's alone. @param {string} name @param {string} keys */
export function taken(name, keys) {
  return commands().find((each) => each.name !== name && (each.keys === keys || each.keys.startsWith(`${keys} `)));
}

/** The key as it is written: "j", "?", "Enter", "mod+k". @param {KeyboardEvent} event */
export function written(event) {
  const key = event.key === " " ? "Space" : meant(event);
  if (event.getModifierState("AltGraph")) return key; // "[" on many keyboards; Windows says Ctrl and Alt of it
  return event.ctrlKey || event.metaKey ? `mod+${key.toLowerCase()}` : event.altKey ? `alt+${key}` : key;
}

/** A letter, whatever Caps Lock says; of an alphabet that is not Latin the one that stands on the same key. @param {KeyboardEvent} event */
function meant({ key, code, shiftKey }) {
  if (!/^\p{L}$/u.test(key)) return key;
  const letter = /\p{Script=Latin}/u.test(key) ? key : LATIN[code] ?? /^Key(.)$/.exec(code)?.[1] ?? key;
  return shiftKey ? letter.toUpperCase() : letter.toLowerCase();
}

/** @param {KeyboardEvent} event */
function pressed(event) {
  if (event.isComposing || event.defaultPrevented || event.repeat && event.key.length > 1) return;
  const key = written(event);
  const isHeld = key.startsWith("mod+");
  if (!isHeld && (!isOn() || isWriting(event.target) || key.startsWith("alt+") || document.querySelector("dialog[open]"))) return;
  const found = wanted(key);
  if (!found) return;
  event.preventDefault();
  found.run();
}

/** The command of the key, or of the one before with it. @param {string} key */
function wanted(key) {
  const all = commands();
  const both = Date.now() - begun_ms < SEQUENCE_MS ? `${begun} ${key}` : "";
  begun = "";
  const found = (both && all.find((each) => each.keys === both)) || all.find((each) => each.keys === key);
  if (!found && all.some((each) => each.keys.startsWith(`${key} `))) [begun, begun_ms] = [key, Date.now()];
  return found;
}

/** How keys are shown: "mod+k" is "Ctrl K". @param {string} keys */
export function shown(keys) {
  const mod = /Mac|iPhone|iPad/.test(navigator.platform) ? "⌘" : "Ctrl";
  return keys.replace("mod+", `${mod} `).split(" ").filter(Boolean).map((each) => (each.length === 1 && mod !== each && keys.includes("mod+") ? each.toUpperCase() : each));
}

/** Tell on each element which key it has. */
export function label() {
  for (const each of commands()) {
    if (each.element === null) continue;
    if (!each.keys) each.element.title = each.label;
    if (!each.keys) each.element.removeAttribute("aria-keyshortcuts");
    if (!each.keys) continue;
    const isSilent = !each.keys.startsWith("mod+") && !isOn();
    each.element.title = isSilent ? each.label : `${each.label} (${shown(each.keys).join(" ")})`;
    if (isSilent) each.element.removeAttribute("aria-keyshortcuts");
    else each.element.setAttribute("aria-keyshortcuts", each.keys.replace("mod+", "Control+"));
  }
}

export function begin() {
  document.addEventListener("keydown", pressed);
  label();
}
