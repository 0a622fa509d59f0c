// @ts-check
/**
 * What was said and what is still to be said, without any drawing. What was said stands in the feed (feed.js); what has
 * no acknowledgement stays in the box (sending.js).
 */
import { Connection } from "./connection.js";
import { Feed } from "./feed.js";
import { markOf, newId } from "./memory.js";
import { Sending } from "./sending.js";
import { Typing } from "./typing.js";

const TELL_AFTER_MS = 16;
const ASKS = new Set(["consent_required", "contact_required", "identity_required"]);

/** @typedef {import("./connection.js").Said} Said */

/** Fires "lines", "link", "status", "typing", "asked" and "arrived" (detail: the line). */
export class Conversation extends EventTarget {
  #feed = new Feed();
  #typing = new Typing(() => this.#fire("typing"));
  /** @type {any} */ #telling = 0;
  #got = 0;
  #hasAll = false;
  #tells; #memory; #connection; #sending;

  link = "idle";
  /** @type {any} */ status = null;
  /** @type {any} */ welcome = {};
  asked = "";
  seenByAgent = 0;

  /** tells.context: {locale, page} as they are now; tells.about: what the page knows of its visitor, name -> text. */
  constructor(/** @type {import("./memory.js").Memory} */ memory, /** @type {URL} */ chat,
    /** @type {{context: () => {locale: string, page: string}, about: () => Record<string, string>}} */ tells, /** @type {AbortSignal} */ signal) {
    super();
    this.#memory = memory;
    this.#tells = tells;
    const hello = () => ({ t: "hello", token: memory.token, after: this.#feed.last, ...tells.context() });
    const hear = (/** @type {Said} */ said) => this.#hear(said);
    const turned = (/** @type {string} */ state) => this.#turn(state);
    this.#connection = new Connection({ chat, hello, hear, turned }, signal);
    this.#sending = new Sending(memory, { say: (said) => this.#connection.say(said),
      mayGo: () => this.#connection.isOnline && !this.asked, changed: () => this.#change() });
    const changed = (/** @type {StorageEvent} */ event) => event.key === memory.key && this.#adopt();
    addEventListener("storage", changed, { signal });
    signal.addEventListener("abort", () => {
      this.#rest();
      clearTimeout(this.#telling);
    }, { once: true });
  }

  get hasBegun() {
    return this.#memory.token !== "";
  }

  /** All lines in order: of both sides, then those that wait. */
  get lines() {
    return [...this.#feed.lines, ...this.#memory.box.filter((each) => each.t === "line")];
  }

  get unread() {
    return this.#feed.unreadAfter(this.#memory.read);
  }

  get typing() {
    return this.#typing.name;
  }

  /** Take up a chat that has begun. all: its whole history is wanted, not only what is new. */
  async resume(all = false) {
    if (all && this.#sending.hasProof && !this.hasBegun) await this.begin(); // their chat may be on another device
    if (!this.hasBegun) return;
    if (all && !this.#hasAll) {
      this.#hasAll = true;
      this.#feed.clear();
      this.#connection.restart();
    } else if (!this.#hasAll && this.#feed.last === 0) {
      this.#feed.last = this.#memory.read;
    }
    this.#connection.start();
  }

  /** Begin a chat, with the first thing that is sent. */
  async begin() {
    if (this.hasBegun) return;
    this.#hasAll = true; // there is nothing before it
    await this.#memory.begin();
  }

  /** Say a line. It is kept before it goes out. files: what the uploads answered. */
  async say(/** @type {string} */ text, /** @type {any[]} */ files = []) {
    await this.begin();
    this.#put({ t: "line", id: newId(), at: this.#memory.next, text, files, context: this.#tells.about() });
  }

  /** Agree, give an address, end: what is acknowledged like a line. Raises: Refusal. */
  async turn(/** @type {Said} */ said) {
    if (!this.hasBegun) await this.begin();
    const id = newId();
    const answer = this.#sending.answer(id);
    const isAnswer = `${said.t}_required` === this.asked;
    if (isAnswer) this.#ask("");
    // What a line waits for goes before the line.
    const at = isAnswer || said.t === "consent" ? (this.#memory.box[0]?.at ?? Date.now()) - 1 : Date.now();
    this.#put(/** @type {any} */ ({ ...said, id, at }));
    return answer;
  }

  /** Tell who the visitor is, before anything else that is said. The proof is never stored. Raises: Refusal. */
  async identify(/** @type {string} */ jwt) {
    // A chat stays one person's: who signs in as somebody else gets another.
    if (this.#memory.person && this.#memory.person !== markOf(jwt)) this.forget();
    this.#memory.keepOthersOf(markOf(jwt));
    const id = this.#sending.prove(jwt);
    if (!this.hasBegun) return; // said when the chat begins
    if (this.asked === "identity_required") this.#ask("");
    const answer = this.#sending.answer(id);
    this.resume();
    this.#sending.flush();
    await answer;
  }

  /** Say that the visitor writes. */
  type() {
    if (this.hasBegun && this.#typing.isDue()) this.#connection.say({ t: "typing" });
  }

  /** Everything that has come has been on the screen. */
  see() {
    const { last } = this.#feed;
    if (last <= this.#memory.read) return;
    this.#memory.noteRead(last);
    this.#connection.say({ t: "read", seq: last });
    this.#change();
  }

  /** Take a line back that was refused; returns it. */
  takeBack(/** @type {string} */ id) {
    const line = this.#memory.box.find((each) => each.id === id);
    this.#memory.drop(id);
    this.#change();
    return line;
  }

  /** Go to the chat that a link opens. What is here stands aside, and nothing of it becomes the other's. Raises: Refusal. */
  async follow(/** @type {string} */ link) {
    this.#changeChat(() => this.#memory.putAside());
    try {
      await this.turn({ t: "resume", link });
    } catch (problem) {
      this.swap(false);
      throw problem;
    }
  }

  /** Go back to the chat that stands aside. */
  swap(isKept = true) {
    this.#changeChat(() => this.#memory.swap(isKept));
    this.resume(true);
  }

  #changeChat(/** @type {() => void} */ change) {
    this.#connection.stop();
    this.#sending.prove(""); // whoever vouches, vouches in a chat of their own
    change();
    this.#reset();
  }

  /** Forget the chat in this browser. The next line begins another one. */
  forget() {
    this.#connection.stop();
    this.#memory.forget();
    this.#sending.prove("");
    this.#reset();
  }

  #put(/** @type {import("./memory.js").Waiting} */ waiting) {
    this.#memory.keep(waiting);
    this.resume();
    this.#change();
    this.#sending.flush();
  }

  #turn(/** @type {string} */ link) {
    this.link = link;
    if (link !== "online") this.#rest();
    this.#fire("link");
  }

  #rest() {
    this.#sending.rest();
    this.#typing.stop();
  }

  #hear(/** @type {Said} */ said) {
    const hearing = /** @type {Record<string, (said: any) => void>} */ ({
      welcome: this.#hearWelcome, ack: this.#hearAck, line: this.#hearLine, error: this.#hearError,
      typing: () => this.#typing.hear(said.name), read: this.#hearRead, status: this.#hearStatus,
    })[said.t];
    hearing?.call(this, said);
  }

  #hearWelcome(/** @type {any} */ said) {
    this.welcome = said;
    if (said.seq < this.#feed.last) { // the daemon forgot: it is the page that is wrong
      this.#feed.shorten(said.seq);
      this.#memory.startAgain(said.seq);
    }
    if (said.consent) this.#memory.agree(said.consent);
    this.#got = 0;
    this.#sending.begin(said.is_identified);
    this.#hearStatus(said.status);
    this.#hearRead({ seq: said.read });
    const given = { consent_required: said.consent, contact_required: said.has_contact,
      identity_required: said.is_identified };
    if (given[/** @type {keyof typeof given} */ (this.asked)]) this.#ask("");
    this.#sending.flush();
  }

  #hearAck(/** @type {Said} */ { id, seq, at }) {
    const line = this.#memory.box.find((each) => each.id === id);
    if (line?.t === "line") this.#feed.acknowledge({ ...line, seq, sentAt: at });
    if (line?.t === "contact") this.welcome.has_contact = true;
    this.#sending.take({ t: "ack", id, seq, at });
  }

  #hearLine(/** @type {Said} */ line) {
    if (line.seq <= this.#feed.last) return;
    if (this.#feed.misses(line)) return this.#connection.restart();
    this.#feed.take(line);
    if (line.id) this.#sending.settle(line.id)?.done(line);
    if (line.author === "agent") this.#typing.stop();
    this.#change();
    this.#fire("arrived", line);
  }

  #hearError(/** @type {any} */ said) {
    if (ASKS.has(said.code)) this.want(said.code);
    else this.#sending.fail(said);
  }

  #hearRead(/** @type {{seq: number}} */ { seq }) {
    this.seenByAgent = Math.max(this.seenByAgent, seq ?? 0);
    this.#change();
  }

  #hearStatus(/** @type {any} */ status) {
    this.status = status;
    this.#fire("status");
  }

  /** The daemon wants something of the visitor before it takes anything more. */
  want(/** @type {string} */ code) {
    this.#rest();
    this.#ask(code);
  }

  #ask(/** @type {string} */ what) {
    const changed = this.asked !== what;
    this.asked = what;
    if (changed) this.#fire("asked");
  }

  /** Another tab of this site has written. */
  #adopt() {
    if (!this.#memory.refresh()) {
      this.#change();
      this.#sending.flush();
      return;
    }
    this.#connection.stop();
    this.#reset();
    this.resume(true);
  }

  #reset() {
    this.#rest();
    this.#feed.clear();
    Object.assign(this, { link: "idle", welcome: {}, asked: "", seenByAgent: 0 });
    this.#got = 0;
    this.#hasAll = false;
    for (const name of ["link", "asked"]) this.#fire(name);
    this.#change();
  }

  /** Tell once of all that changes in the same moment: a long chat comes line by line. */
  #change() {
    this.#telling ||= setTimeout(() => {
      this.#telling = 0;
      if (this.#feed.last > this.#got) this.#connection.say({ t: "got", seq: (this.#got = this.#feed.last) });
      this.#fire("lines");
    }, TELL_AFTER_MS);
  }

  #fire(/** @type {string} */ name, /** @type {any} */ detail = undefined) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}
