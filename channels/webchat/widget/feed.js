// @ts-check
/** The lines of a chat in the daemon's order: placed by its numbers alone, however often and by whatever way they come. */

/** @typedef {import("./connection.js").Said} Said */

export class Feed {
  /** @type {Said[]} */ #lines = [];
  /** @type {Map<string, any>} what has a number, and comes with the lines once those before it have come */ #acked = new Map();
  #gapAt = 0;
  /** The number of the last line that is here, or need not come. */
  last = 0;

  get lines() {
    return [...this.#lines, ...this.#acked.values()];
  }

  /** Count the lines of others behind a number. */
  unreadAfter(/** @type {number} */ seq) {
    return this.#lines.filter((each) => each.author !== "customer" && each.seq > seq).length;
  }

  acknowledge(/** @type {any} */ line) {
    if (line.seq > this.last) this.#acked.set(line.id, line);
  }

  /** Whether others are missing before a line. Said once: a number that is still not there then was never given. */
  misses(/** @type {Said} */ { seq }) {
    const isMissing = seq > this.last + 1 && this.#gapAt !== seq;
    if (isMissing) this.#gapAt = seq;
    return isMissing;
  }

  take(/** @type {Said} */ line) {
    this.last = line.seq;
    this.#lines.push(line);
    this.#acked.delete(line.id);
  }

  /** Keep the lines up to a number. */
  shorten(/** @type {number} */ seq) {
    this.last = seq;
    this.#lines = this.#lines.filter((each) => each.seq <= seq);
    this.#acked.clear();
  }

  clear() {
    this.shorten(0);
    this.#gapAt = 0;
  }
}
