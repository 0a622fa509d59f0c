// @ts-check
// What came while one writes: it is shown above the text, and an answer says what of it its writer has seen. What was in sight
// for a while counts as read; what was not stops the answer.
import { el } from "./dom.js";
import * as regions from "./regions.js";
import { andLine, withLines } from "./seen.js";

const READ_MS = 1_500; // what is new has been in sight for so long before "Send anyway" sends

/** @typedef {{name: string, author: string, medium: string, direction: string, text: string}} Newer */

export class News {
  /** @param {HTMLFormElement} form of the answer */
  constructor(form) {
    this.form = form;
    this.field = /** @type {HTMLTextAreaElement} */ (form.elements.namedItem("text"));
    this.own = /** @type {HTMLInputElement} */ (form.elements.namedItem("seen"));
    this.coming = ""; // the mark of what is new and not yet taken as read
    this.shownLast = 0; // which of the times that something new was shown is the last
    form.addEventListener("input", () => this.emptied());
  }

  /** Somebody was quicker: show what, keep the text; a second press of the same keys sends nothing. @param {{newer: Newer[], mark: string}} told */
  stopped(told) {
    this.show(told.newer.map((each) => ({ who: writerOf(each), text: each.text })));
    this.awaitRead(told.mark);
    const box = /** @type {HTMLElement | null} */ (this.form.querySelector(".news"));
    box?.scrollIntoView({ block: "nearest" });
    box?.focus();
    regions.refresh();
  }

  /** A line of a chat that stands on the screen is answered at once, settled or not. @param {string} session @param {number} seq */
  saw(session, seq) {
    if (this.coming) this.coming = andLine(this.coming, session, seq);
    this.mark(andLine(this.own.value, session, seq));
  }

  /** One's own answer is no news. @param {string} given */
  answered(given) {
    this.clear();
    if (given) this.mark(withLines(given, this.own.value));
  }

  /** Follow the page: with nothing written what is shown is read; with something written it is shown here first. @param {Document} fresh @param {string} before the mark that this page had */
  follow(fresh, before) {
    const given = /** @type {HTMLInputElement | null} */ (fresh.querySelector("#reply-form [name=seen]"))?.value;
    const found = given && withLines(given, before);
    if (!found || found === before || found === this.coming) return;
    if (!this.field.value.trim() && !document.hidden) return this.mark(found);
    const last = [...fresh.querySelectorAll("#timeline [data-message]:not([data-message=note])")].at(-1);
    this.show([{ who: last?.querySelector(".writer")?.textContent ?? "Somebody", text: last?.querySelector(".words")?.textContent ?? "" }]);
    this.awaitRead(found);
  }

  clear() {
    this.coming = "";
    this.show([]);
  }

  /** Count what is new as read once it has been in sight. @param {string} found */
  awaitRead(found) {
    this.coming = found;
    const time = ++this.shownLast;
    setTimeout(() => this.read(time), READ_MS);
  }

  /** What was in sight for a while counts as read. @param {number} time */
  read(time) {
    if (!this.coming || time !== this.shownLast) return;
    if (document.hidden) return void document.addEventListener("visibilitychange", () => setTimeout(() => this.read(time), READ_MS), { once: true });
    this.mark(this.coming);
    this.coming = "";
    this.label("Send anyway");
  }

  /** With nothing written any more there is nothing to hold back. */
  emptied() {
    if (!this.coming || this.field.value.trim() || document.hidden) return;
    this.mark(this.coming);
    this.clear();
  }

  /** @param {string} found */
  mark(found) {
    if (found) this.own.value = this.own.defaultValue = found;
  }

  /** @param {{who: string, text: string}[]} items */
  show(items) {
    const told = items.map((each) => [el("p", {}, el("strong", {}, each.who), " has written since you began:"), el("div", { class: "as-written", dir: "auto" }, each.text)]).flat();
    const box = el("div", { class: "news", tabindex: "-1", role: "group", "aria-label": "What is new" }, ...told);
    this.form.querySelector("[data-news]")?.replaceChildren(...(items.length ? [box] : []));
    if (!items.length) this.label("Send");
  }

  /** @param {string} text */
  label(text) {
    const button = this.form.querySelector("[data-send]");
    if (button) button.textContent = text;
  }
}

/** @param {Newer} each */
function writerOf(each) {
  return each.name || (each.medium === "chat" && each.direction === "in" ? "The visitor" : each.author);
}
