// @ts-check
// The sheet of keys: every command of this page, what it is pressed with, and how that is changed or turned off.
import { isMuted, mute } from "./announce.js";
import { el } from "./dom.js";
import * as keys from "./keys.js";

/** @type {HTMLDialogElement | null} */
let sheet = null;

export function open() {
  sheet ??= made();
  fill(sheet);
  sheet.showModal();
}

function made() {
  const dialog = /** @type {HTMLDialogElement} */ (el("dialog", { class: "keys", "aria-labelledby": "keys-title" }));
  document.body.append(dialog);
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  return dialog;
}

/** @param {HTMLDialogElement} dialog */
function fill(dialog) {
  const close = el("button", { class: "button small", type: "button", click: () => dialog.close() }, "Close");
  const head = el("div", { class: "head" }, el("h2", { id: "keys-title" }, "Keys"), close);
  const own = toggle("Keys of one character", keys.isOn(), (isWanted) => keys.turn(isWanted));
  const said = toggle("Announce changes to screen readers", !isMuted(), (isWanted) => mute(!isWanted));
  const rows = keys.commands().filter((each) => each.keys || keys.isChanged(each.name)).map((each) => row(dialog, each));
  const how = el("p", { class: "quiet key-how", role: "status" }, "Change waits for a key. Backspace gives its own again, Delete none, Escape leaves it as it is.");
  dialog.replaceChildren(head, el("div", { class: "toggles" }, own, said, how), el("ul", { class: "key-list" }, ...rows));
}

/** @param {string} text @param {boolean} isOn @param {(isWanted: boolean) => void} changed */
function toggle(text, isOn, changed) {
  const box = /** @type {HTMLInputElement} */ (el("input", { type: "checkbox", checked: isOn }));
  box.addEventListener("change", () => changed(box.checked));
  return el("label", { class: "toggle" }, box, ` ${text}`);
}

/** @param {HTMLDialogElement} dialog @param {keys.Command} command */
function row(dialog, command) {
  const shown = el("span", { class: "key-caps" }, ...keys.shown(command.keys).map((each) => el("kbd", {}, each)));
  const button = el("button", { class: "button small", type: "button", "aria-label": `Change the key of: ${command.label}` }, "Change");
  button.addEventListener("click", () => ask(dialog, command, /** @type {HTMLButtonElement} */ (button)));
  return el("li", {}, el("span", { class: "key-label" }, command.label), shown, button);
}

const WAYS = /** @type {Record<string, string | undefined>} */ ({ Backspace: undefined, Delete: "" });

/** Take the next key that is pressed; one that is another command's, or that moves on a page, is not taken. */
function ask(/** @type {HTMLDialogElement} */ dialog, /** @type {keys.Command} */ command, /** @type {HTMLButtonElement} */ button) {
  const status = /** @type {HTMLElement} */ (dialog.querySelector("[role=status]"));
  button.textContent = "Press a key";
  status.textContent = `Press a key for: ${command.label}`;
  /** @param {KeyboardEvent} event */
  const pressed = (event) => {
    if (["Shift", "Control", "Alt", "AltGraph", "Meta", "Tab", "CapsLock", "Dead", "Process"].includes(event.key)) return;
    event.preventDefault();
    event.stopPropagation();
    const key = event.key in WAYS ? WAYS[event.key] : keys.written(event);
    const other = key ? keys.taken(command.name, key) : undefined;
    if (event.key !== "Escape" && other) return void (status.textContent = `That key is taken: ${other.label}`);
    if (event.key !== "Escape" && key && !isFree(key)) return void (status.textContent = "That key moves about on a page. Take a letter, a digit or a sign.");
    button.removeEventListener("keydown", pressed);
    if (event.key !== "Escape") keys.change(command.name, key);
    fill(dialog);
    /** @type {HTMLElement | null} */ (dialog.querySelector(`[aria-label="${CSS.escape(button.getAttribute("aria-label") ?? "")}"]`))?.focus();
  };
  button.addEventListener("keydown", pressed);
  button.addEventListener("blur", () => button.isConnected && fill(dialog), { once: true });
}

/** Whether a key does nothing by itself on a page: Enter, Space and arrows do. @param {string} key */
function isFree(key) {
  return key.includes("+") || [...key].length === 1 || /^F\d+$/.test(key);
}
