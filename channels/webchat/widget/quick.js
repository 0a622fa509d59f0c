// @ts-check
/** Buttons that may be pressed instead of writing: what the owner offers at first, what a line offers for an answer. */
import { button, make } from "./dom.js";

export class Quick {
  #panel;

  constructor(/** @type {any} */ panel) {
    this.#panel = panel;
    this.element = make("div", { class: "turns quick", role: "group", "aria-label": panel.words.say("openings"), hidden: true });
  }

  draw() {
    const { composer, conversation: { lines }, settings, words } = this.#panel;
    const offered = lines.length === 0 ? words.of(settings.openings) : lines[lines.length - 1].replies;
    const buttons = (offered || []).map((/** @type {string} */ text) => button(text, () => this.#say(text)));
    this.element.replaceChildren(...buttons);
    this.element.hidden = buttons.length === 0 || composer.element.hidden;
  }

  /** Say it, and keep what is half written. */
  async #say(/** @type {string} */ text) {
    const { composer } = this.#panel;
    const begun = composer.text;
    composer.text = text;
    await composer.submit();
    if (begun) composer.text = composer.text ? `${composer.text}\n${begun}` : begun;
    composer.focus();
  }
}
