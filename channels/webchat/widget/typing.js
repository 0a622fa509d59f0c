// @ts-check
/** That somebody writes: told while it lasts and no longer, and not with each letter. */

const HOLDS_MS = 6_000;
const TELL_EVERY_MS = 3_000;

export class Typing {
  /** @type {any} */ #ends = 0;
  #toldAt = 0;
  #changed;
  /** Who writes at the desk: "" = nobody, " " = somebody. */
  name = "";

  constructor(/** @type {() => void} */ changed) {
    this.#changed = changed;
  }

  hear(/** @type {string | undefined} */ name) {
    clearTimeout(this.#ends);
    this.name = name || " ";
    this.#ends = setTimeout(() => this.stop(), HOLDS_MS);
    this.#changed();
  }

  stop() {
    clearTimeout(this.#ends);
    this.name = "";
    this.#changed();
  }

  /** Whether it is time to tell the desk again that the visitor writes. */
  isDue() {
    const isDue = Date.now() - this.#toldAt >= TELL_EVERY_MS;
    if (isDue) this.#toldAt = Date.now();
    return isDue;
  }
}
