// @ts-check
// Ctrl+K: everything that can be done here, every place, a ticket by its ref, and a search, all by typing a few letters.
import { el } from "./dom.js";
import * as keys from "./keys.js";

const MOST = 12;
const REF = /^[0-9a-z]{7}$/i;

/** @typedef {{label: string, hint: string[], run: () => void}} Choice */
/** @type {HTMLDialogElement | null} */
let dialog = null;
/** @type {HTMLInputElement} */
let field;
/** @type {HTMLElement} */
let list;
/** @type {Choice[]} */
let choices = [];
/** @type {keys.Command[]} */
let known = [];
let chosen = 0;

export function open() {
  dialog ??= made();
  known = keys.commands().filter((each) => each.name !== "palette");
  field.value = "";
  dialog.showModal();
  field.focus();
  fill();
}

function made() {
  field = /** @type {HTMLInputElement} */ (
    el("input", {
      type: "text", role: "combobox", "aria-expanded": "true", "aria-controls": "palette-list", "aria-autocomplete": "list",
      "aria-label": "What to do, or where to go", placeholder: "Do something, or go to a ticket", autocomplete: "off", spellcheck: "false", maxlength: "300",
      input: fill, keydown: pressed,
    })
  );
  list = el("div", { id: "palette-list", role: "listbox", "aria-label": "What matches" });
  const around = /** @type {HTMLDialogElement} */ (el("dialog", { class: "palette", "aria-label": "Commands" }, field, list));
  around.addEventListener("click", (event) => event.target === around && around.close());
  document.body.append(around);
  return around;
}

function fill() {
  const text = field.value.trim();
  choices = [...places(text), ...known.filter((each) => matches(each.label, text)).map(ofCommand)].slice(0, MOST);
  if (text) choices.push({ label: `Search for “${text}”`, hint: [], run: () => go(`/search?q=${encodeURIComponent(text)}`) });
  choose(0);
  list.replaceChildren(...choices.map(option));
  mark();
}

/** @param {string} text @returns {Choice[]} */
function places(text) {
  return REF.test(text) ? [{ label: `Open ticket ${text.toUpperCase()}`, hint: [], run: () => go(`/tickets/${text.toUpperCase()}`) }] : [];
}

/** @param {keys.Command} command @returns {Choice} */
function ofCommand(command) {
  return { label: command.label, hint: keys.shown(command.keys), run: command.run };
}

/** Whether every word that was typed begins a word of the label. @param {string} label @param {string} text */
function matches(label, text) {
  const words = label.toLowerCase().split(/\s+/);
  return text.toLowerCase().split(/\s+/).every((typed) => words.some((word) => word.startsWith(typed)));
}

/** @param {Choice} choice @param {number} index */
function option(choice, index) {
  const caps = choice.hint.map((each) => el("kbd", {}, each));
  return el(
    "div",
    { role: "option", id: `choice-${index}`, click: () => take(index), mousemove: () => chosen !== index && choose(index) },
    el("span", {}, choice.label),
    el("span", { class: "key-caps" }, ...caps),
  );
}

/** @param {number} index */
function choose(index) {
  chosen = Math.min(Math.max(index, 0), Math.max(choices.length - 1, 0));
  mark();
}

function mark() {
  [...list.children].forEach((each, index) => each.setAttribute("aria-selected", String(index === chosen)));
  if (choices.length && list.children.length) field.setAttribute("aria-activedescendant", `choice-${chosen}`);
  else field.removeAttribute("aria-activedescendant");
  list.children[chosen]?.scrollIntoView({ block: "nearest" });
}

/** @param {KeyboardEvent} event */
function pressed(event) {
  const steps = { ArrowDown: 1, ArrowUp: -1 };
  const step = steps[/** @type {keyof typeof steps} */ (event.key)];
  if (step) choose((chosen + step + choices.length) % Math.max(choices.length, 1));
  else if (event.key === "Enter" && !event.isComposing) take(chosen);
  else return;
  event.preventDefault();
}

/** @param {number} index */
function take(index) {
  const choice = choices[index];
  dialog?.close();
  choice?.run();
}

/** @param {string} url */
function go(url) {
  location.assign(url);
}
