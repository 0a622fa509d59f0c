// @ts-check
// An answer that has not left yet: it counts down, goes at once, or is a draft again.
import * as ask from "./ask.js";
import { el } from "./dom.js";
import * as regions from "./regions.js";

const TOP = "#write-top";

/** @typedef {import("./drafts.js").Draft} Draft @typedef {import("./news.js").News} News */

export class Holding {
  /** @param {HTMLFormElement} form of the answer @param {Draft} draft @param {News} news @param {(text: string) => void} say */
  constructor(form, draft, news, say) {
    this.form = form;
    this.draft = draft;
    this.news = news;
    this.say = say;
    this.ticking = 0;
    for (const each of document.querySelectorAll(`${TOP} [data-act]`)) this.listen(/** @type {HTMLFormElement} */ (each));
    this.count();
  }

  /** @param {string} outbox @param {string} until */
  begin(outbox, until) {
    const box = el(
      "div",
      { class: "held", role: "status", "data-outbox": outbox, "data-until": until },
      el("span", {}, "Your answer leaves in ", el("span", { "data-left": true }), " s."),
      this.act("undo", "Undo", outbox, { "data-command": "undo", "data-keys": "z" }),
      this.act("send-now", "Send now", outbox, {}),
    );
    document.querySelector(TOP)?.append(box);
    this.count();
  }

  /** @param {string} name @param {string} text @param {string} outbox @param {Record<string, string>} more */
  act(name, text, outbox, more) {
    const action = this.form.action.replace(/\/reply$/, `/${name}`);
    const form = /** @type {HTMLFormElement} */ (el("form", { method: "post", action, "data-act": name }));
    form.append(el("input", { type: "hidden", name: "outbox", value: outbox }), el("button", { class: "button small", ...more }, text));
    this.listen(form);
    return form;
  }

  /** Count down what is held, and let go of what has left. */
  count() {
    clearTimeout(this.ticking);
    for (const box of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll(".held[data-until]"))) {
      const left_ms = Date.parse(box.dataset.until ?? "") - Date.now();
      const left = box.querySelector("[data-left]");
      if (left) left.textContent = String(Math.max(0, Math.ceil(left_ms / 1_000)));
      if (left_ms <= 0) this.leave(box);
    }
    if (document.querySelector(".held[data-until]")) this.ticking = setTimeout(() => this.count(), 500);
  }

  /** @param {HTMLElement} box */
  leave(box) {
    const hadFocus = box.contains(document.activeElement);
    box.remove();
    if (hadFocus) this.form.querySelector("textarea")?.focus();
    regions.refresh();
  }

  /** The text is written on, and what its author has seen is what it was: the answer itself is no news. @param {any} found */
  async back(found) {
    if (await this.draft.back(found)) this.news.mark(found.seen);
  }

  /** @param {HTMLFormElement} form */
  listen(form) {
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const outbox = /** @type {HTMLInputElement} */ (form.elements.namedItem("outbox")).value;
      const answer = await ask.post(form.action, { outbox });
      if (!answer.ok) this.say(answer.text);
      if (answer.ok && answer.told.draft) await this.back(answer.told.draft);
      const box = /** @type {HTMLElement | null} */ (form.closest(".held"));
      if (box && answer.status) this.leave(box); // nobody answered: it may be taken back still
      regions.refresh();
      this.form.querySelector("textarea")?.focus();
    });
  }
}
