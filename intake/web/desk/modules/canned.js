// @ts-check
// Canned replies: chosen by a few letters, put where the cursor is, never in place of what is written. Variables without a
// value leave a gap that is written over at once and cannot be sent.
import * as ask from "./ask.js";
import { el } from "./dom.js";

const GAP = /\[\[[a-z_]+(?:\.[a-z_]+)?\]\]/;
const MOST = 30;

/** @typedef {{name: string, title: string, language: string, shortcut: string}} Text */

/** The first gap in a field, chosen so that it can be written over; "" = there is none. @param {HTMLTextAreaElement} field */
export function gapOf(field) {
  const found = GAP.exec(field.value);
  if (found === null) return "";
  field.focus();
  field.setSelectionRange(found.index, found.index + found[0].length);
  return found[0];
}

/** @param {HTMLFormElement} form @param {string} ref */
export function begin(form, ref) {
  const button = form.querySelector("[data-canned]");
  const list = form.querySelector("[data-canned-list]");
  if (!(button instanceof HTMLButtonElement) || list === null) return;
  const texts = [...list.children].map((each) => /** @type {Text} */ (/** @type {unknown} */ ({ .../** @type {HTMLElement} */ (each).dataset })));
  const field = /** @type {HTMLTextAreaElement} */ (form.elements.namedItem("text"));
  const chooser = new Chooser(texts, (text) => void put(field, ref, text));
  button.addEventListener("click", () => chooser.open());
}

/** @param {HTMLTextAreaElement} field @param {string} ref @param {Text} text */
async function put(field, ref, text) {
  const answer = await ask.get(`/tickets/${ref}/canned/${encodeURIComponent(text.name)}`);
  const said = answer.ok ? answer.told.canned.text.replaceAll("\\[\\[", "[[").replaceAll("\\]\\]", "]]").replace(/(\[\[[a-z_.\\]+\]\])/g, (/** @type {string} */ gap) => gap.replaceAll("\\", "")) : "";
  field.focus();
  if (!said) return;
  const before = field.value.slice(0, field.selectionStart);
  const apart = before && !before.endsWith("\n") ? "\n\n" : "";
  field.setRangeText(apart + said, field.selectionStart, field.selectionEnd, "end");
  field.dispatchEvent(new Event("input", { bubbles: true }));
  const gap = GAP.exec(field.value);
  if (gap) field.setSelectionRange(gap.index, gap.index + gap[0].length);
}

class Chooser {
  /** @param {Text[]} texts @param {(text: Text) => void} take */
  constructor(texts, take) {
    this.texts = texts;
    this.take = take;
    this.found = texts;
    this.chosen = 0;
    this.field = /** @type {HTMLInputElement} */ (
      el("input", {
        type: "text", role: "combobox", "aria-expanded": "true", "aria-controls": "canned-list", "aria-autocomplete": "list",
        "aria-label": "Which reply", placeholder: "A few letters of its title", autocomplete: "off", spellcheck: "false",
        input: () => this.fill(), keydown: (event) => this.pressed(event),
      })
    );
    this.list = el("div", { id: "canned-list", role: "listbox", "aria-label": "Canned replies" });
    this.dialog = /** @type {HTMLDialogElement} */ (el("dialog", { class: "canned-dialog", "aria-label": "Canned replies" }, this.field, this.list));
    document.body.append(this.dialog);
  }

  open() {
    this.field.value = "";
    this.fill();
    this.dialog.showModal();
    this.field.focus();
  }

  fill() {
    const words = this.field.value.toLowerCase().split(/\s+/).filter(Boolean);
    const fits = (/** @type {Text} */ each) => words.every((word) => `${each.title} ${each.name} ${each.shortcut}`.toLowerCase().includes(word));
    this.found = this.texts.filter(fits).slice(0, MOST);
    this.chosen = 0;
    this.list.replaceChildren(...this.found.map((each, index) => this.option(each, index)));
    this.mark();
  }

  /** @param {Text} text @param {number} index */
  option(text, index) {
    return el("div", { role: "option", id: `canned-${index}`, click: () => this.choose(index) }, el("span", {}, text.title), el("span", { class: "quiet" }, text.language));
  }

  mark() {
    [...this.list.children].forEach((each, index) => each.setAttribute("aria-selected", String(index === this.chosen)));
    if (this.found.length) this.field.setAttribute("aria-activedescendant", `canned-${this.chosen}`);
    else this.field.removeAttribute("aria-activedescendant");
    this.list.children[this.chosen]?.scrollIntoView({ block: "nearest" });
  }

  /** @param {KeyboardEvent} event */
  pressed(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key] ?? 0;
    if (step) this.chosen = (this.chosen + step + this.found.length) % Math.max(this.found.length, 1);
    else if (event.key === "Enter" && !event.isComposing) this.choose(this.chosen);
    else return;
    event.preventDefault();
    this.mark();
  }

  /** @param {number} index */
  choose(index) {
    const text = this.found[index];
    this.dialog.close();
    if (text) this.take(text);
  }
}
