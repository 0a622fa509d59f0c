// @ts-check
/**
 * What is still to be said: one thing at a time, in order, again and again with the same id until the daemon has
 * acknowledged it. The proof of who it is goes before everything else, and is never stored.
 */
import { markOf, newId } from "./memory.js";

const AGAIN_MS = 5_000; // without an answer on a line that is up
const AGAIN_MOST_MS = 60_000;
const LATER = new Set(["unavailable", "rate_limited"]);

/** @typedef {import("./connection.js").Said} Said */

export class Refusal extends Error {
  constructor(/** @type {Said} */ said) {
    super(said.text);
    this.code = said.code;
  }
}

export class Sending {
  /** @type {Map<string, {done: (ack: Said) => void, fail: (problem: Error) => void}>} */ #waiters = new Map();
  /** @type {{t: string, id: string, jwt: string, isGiven?: boolean} | null} */ #proof = null;
  /** @type {any} */ #again = 0;
  #underWay = "";
  #tries = 0;
  /** What the daemon wanted to be worked out for a thing, and its answer. */
  #worked = { id: "", work: "" };
  #memory; #ends;

  /** ends: {say(said), mayGo(): whether anybody listens and nothing is asked, changed()}. */
  constructor(/** @type {import("./memory.js").Memory} */ memory,
    /** @type {{say: (said: Said) => void, mayGo: () => boolean, changed: () => void}} */ ends) {
    this.#memory = memory;
    this.#ends = ends;
  }

  get hasProof() {
    return this.#proof !== null;
  }

  /** Return the answer to what has an id, once it comes. Raises: Refusal. */
  answer(/** @type {string} */ id) {
    return new Promise((done, fail) => this.#waiters.set(id, { done, fail }));
  }

  /** Say from now on who the visitor is; returns the id of that. jwt: "" = nobody vouches any more. */
  prove(/** @type {string} */ jwt) {
    const id = newId();
    this.#proof = jwt ? { t: "identify", id, jwt } : null;
    return id;
  }

  /** Begin again where a connection begins. */
  begin(/** @type {boolean} */ isIdentified) {
    this.#tries = 0;
    if (this.#proof && !isIdentified) this.#proof.isGiven = false;
  }

  flush() {
    if (this.#underWay || !this.#ends.mayGo()) return;
    const proof = this.#proof?.isGiven ? null : this.#proof;
    const next = proof ?? this.#memory.box.find((each) => !each.error);
    if (!next) return;
    this.#underWay = next.id;
    this.#ends.say({ ...spoken(next), ...(this.#worked.id === next.id && { work: this.#worked.work }) });
    this.#sayAgainIn(AGAIN_MS, 0);
  }

  /** Nothing is under way any more. */
  rest() {
    clearTimeout(this.#again);
    this.#underWay = "";
  }

  /** The daemon did not take it: not now, not without work, or not at all. */
  fail(/** @type {any} */ said) {
    if (LATER.has(said.code)) this.#sayAgainIn(1_000, (said.retry_after_s ?? 0) * 1_000);
    else if (said.code === "work_required") this.#work(said);
    else if (said.id) this.#refuse(said);
  }

  /** Work out what the daemon wants for a thing while there is a flood of them, and say the thing again with it. */
  async #work(/** @type {any} */ { id, work }) {
    if (id !== this.#underWay) return;
    clearTimeout(this.#again);
    const isWanted = () => id === this.#underWay;
    const found = await worked(work, isWanted);
    if (!isWanted()) return;
    this.#worked = { id, work: found };
    if (found) this.#release();
    else this.#sayAgainIn(AGAIN_MS, 0);
  }

  /** It is acknowledged. */
  take(/** @type {Said} */ ack) {
    if (this.#proof?.id === ack.id) {
      this.#proof.isGiven = true;
      this.#memory.belongTo(markOf(this.#proof.jwt));
    }
    this.settle(ack.id)?.done(ack);
  }

  /** It was refused for ever: a line stays, so that it can be taken back. */
  #refuse(/** @type {any} */ said) {
    const line = this.#memory.box.find((each) => each.id === said.id);
    const isLine = line?.t === "line";
    if (isLine) this.#memory.keep({ ...line, error: said.code });
    if (this.#proof?.id === said.id) this.#proof = null;
    this.settle(said.id, isLine)?.fail(new Refusal(said));
  }

  /** It needs not be said again. */
  settle(/** @type {string} */ id, isKept = false) {
    const waiter = this.#waiters.get(id);
    this.#waiters.delete(id);
    if (!isKept) this.#memory.drop(id);
    this.#ends.changed();
    if (id === this.#underWay) {
      this.#tries = 0;
      this.#release();
    }
    return waiter;
  }

  /** least: not before, whatever the number of tries says. */
  #sayAgainIn(/** @type {number} */ first, /** @type {number} */ least) {
    clearTimeout(this.#again);
    const wait = Math.min(AGAIN_MOST_MS, first * 2 ** this.#tries++) * (0.75 + Math.random() / 2);
    this.#again = setTimeout(() => this.#release(), Math.max(least, wait));
  }

  #release() {
    this.rest();
    this.flush();
  }
}

/** Return what the daemon wanted to be worked out; "" = it could not be, or nobody wants it any more. */
export function worked(/** @type {any} */ wanted, /** @type {() => boolean} */ isWanted) {
  return import("./work.js").then(({ solved }) => solved(wanted, isWanted)).catch(() => "");
}

/** Return what waits as the protocol has it. */
function spoken(/** @type {any} */ { at, error, isGiven, ...said }) {
  return said.t === "line" ? { ...said, files: said.files.map((/** @type {any} */ each) => each.id) } : said;
}
