// @ts-check
/** The chat's panel: a dialog beside the page that takes nothing from it. Loaded at the first sign that it is wanted. */
import { Asking } from "./asking.js";
import { Composer } from "./composer.js";
import { Conversation } from "./conversation.js";
import { make } from "./dom.js";
import { frame } from "./frame.js";
import { Lines } from "./lines.js";
import { linkHere, takeUp } from "./links.js";
import { Memory } from "./memory.js";
import { Menu } from "./menu.js";
import { Notices } from "./notices.js";
import { settingsOf, told } from "./owner.js";
import { Watch } from "./presence.js";
import { Quick } from "./quick.js";
import { colour, fit, uncover } from "./screen.js";
import { sheet } from "./style.js";
import { save, Uploads } from "./uploads.js";
import { wordsOf } from "./words.js";

const LIMITS = { text: 8_000, files: 5, file_bytes: 10_000_000, types: [] };
const TOLD_MOST = 5;

/** Make the panel of a launcher. ends: {chat: the address of the account, signal: the end of all this}. */
export async function mount(/** @type {any} */ host, /** @type {{chat: URL, signal: AbortSignal}} */ ends) {
  const settings = settingsOf(ends, "default");
  const words = await wordsOf(host.language);
  ends.signal.throwIfAborted(); // gone from the page meanwhile
  const panel = new Panel(host, ends, words);
  panel.settled = settings.then((known) => panel.set(known));
  host.tell("ready");
  const link = linkHere();
  if (link) takeUp(panel, link);
  else if (panel.memory.tab.isOpen) panel.open({ isQuiet: true });
  else panel.conversation.resume();
  return panel;
}

class Panel {
  isOpen = false;
  limits = LIMITS;
  /** @type {any} */ settings = {};
  /** @type {any} */ status = null;
  /** @type {Promise<void>} */ settled = Promise.resolve();
  #unread = 0;
  #host; #ends; #watch;

  constructor(/** @type {any} */ host, /** @type {{chat: URL, signal: AbortSignal}} */ ends,
    /** @type {import("./words.js").Words} */ words) {
    this.#host = host;
    this.#ends = ends;
    this.words = words;
    this.memory = new Memory(host.account);
    const context = () => ({ locale: host.language, page: location.href.split("#")[0].slice(0, 2_000) });
    const about = () => told(host.context);
    this.conversation = new Conversation(this.memory, ends.chat, { context, about }, ends.signal);
    this.#watch = new Watch(new URL("status.json", ends.chat), ends.signal, (status) => this.#showStatus(status),
      () => this.isOpen && !document.hidden && this.conversation.link !== "online");
    if (host.shadowRoot.adoptedStyleSheets.length === 1) host.shadowRoot.adoptedStyleSheets.push(sheet());
    this.#build();
    this.#listen();
    ends.signal.addEventListener("abort", () => this.#remove(), { once: true });
  }

  /** isQuiet: it was open on the page before; the focus stays where the reader is. */
  async open({ isQuiet = false } = {}) {
    if (this.isOpen) return this.focusText();
    this.isOpen = true;
    this.element.hidden = false;
    this.#remember();
    this.#host.showState({ isOpen: true });
    this.conversation.resume(true);
    this.#watch.look();
    this.#drawLines();
    this.lines.toEnd();
    if (!isQuiet) this.focusText();
    this.see();
    this.#host.tell("open");
  }

  async close() {
    if (!this.isOpen) return;
    const hadFocus = this.element.contains(this.#host.shadowRoot.activeElement);
    this.isOpen = false;
    this.element.hidden = true;
    this.menu.turn(false);
    this.#watch.stop();
    this.#remember();
    this.#host.showState({ isOpen: false });
    this.#showUnread();
    if (hadFocus) this.#host.focusButton();
    this.#host.tell("close");
  }

  async identify(/** @type {string} */ jwt) {
    await this.conversation.identify(jwt);
  }

  /** Have the daemon show nothing of it any more, to nobody, and forget it here whether it could be told or not. */
  async forget() {
    const headers = { Authorization: `Bearer ${this.memory.token}` };
    const told = fetch(new URL("forget", this.#ends.chat), { method: "POST", headers, keepalive: true });
    await told.catch(() => {});
    if (this.memory.others.length) this.conversation.swap(false);
    else await this.logout();
  }

  /** Forget the chat in this browser. */
  async logout() {
    this.uploads.clear();
    this.lines.clear();
    this.conversation.forget();
    this.composer.text = "";
  }

  /** Ask the page to say who it is: identify() with a proof that still holds. */
  wantIdentity() {
    this.tell(this.words.say("identityNeeded"));
    this.#host.tell("identify");
  }

  /** Draw everything anew in another language; what is written stays. */
  async setLocale(/** @type {string} */ language) {
    const { text } = this.composer;
    this.words = await wordsOf(language);
    this.element.remove();
    this.#build();
    this.set(this.settings);
    this.element.hidden = !this.isOpen;
    this.composer.text = text;
    this.#drawLines();
    this.#drawLink();
    this.#showStatus(this.status);
  }

  /** Look anew at what the owner has set: the daemon asks for something that this page does not know. */
  async learn() {
    this.set(await settingsOf(this.#ends, "reload"));
  }

  /** Take what the owner of the chat has set. */
  set(/** @type {any} */ settings) {
    this.settings = settings;
    this.limits = { ...LIMITS, ...settings.limits };
    colour(this.#host, this.#host.region, settings.accent);
    this.title.textContent = this.words.of(settings.name) || this.words.say("title");
    this.#greet();
    this.composer.limit();
    this.quick.draw();
  }

  complain(/** @type {string} */ text) {
    this.composer.complain(text);
  }

  /** Say something in passing, on the screen and to screen readers. */
  tell(/** @type {string} */ text) {
    this.notices.tell(text);
  }

  /** To where is written, or to what is asked instead. */
  focusText() {
    (this.composer.element.hidden ? this.asking.element.firstChild : this.composer).focus();
  }

  /** The visitor has changed what they write. */
  wrote(/** @type {string} */ text) {
    if (text) this.conversation.type();
    this.memory.keepTab({ text });
  }

  // ---- building ----

  #build() {
    const { words } = this;
    this.asking = new Asking(this);
    this.uploads ??= new Uploads(this, this.#ends.chat, () => (this.asking.hasAgreed ? this.memory.token : ""));
    this.composer = new Composer(this, this.uploads, (text) => this.#send(text));
    this.lines = new Lines(this, { save: (/** @type {any} */ line, /** @type {any} */ file) => this.#save(line, file),
      takeBack: (/** @type {any} */ line) => this.#takeBack(line) });
    this.menu = new Menu(this, this.#ends.chat, this.#host.querySelector("a[href]"));
    this.title = make("p", { class: "title", id: "title", dir: "auto" }, words.say("title"));
    this.notices?.stop();
    this.notices = new Notices();
    this.quick = new Quick(this);
    this.element = frame(this);
    this.#host.region.append(this.element);
    this.element.dir = getComputedStyle(this.#host).direction;
    this.composer.text = this.memory.tab.text ?? "";
  }

  #listen() {
    const { conversation } = this;
    const { signal } = this.#ends;
    const on = (/** @type {string} */ name, /** @type {(event: any) => void} */ act) =>
      conversation.addEventListener(name, act, { signal });
    on("lines", () => this.#drawLines());
    on("link", () => this.#drawLink());
    on("typing", () => this.lines.drawTyping());
    on("status", () => this.#showStatus(conversation.status));
    on("asked", () => this.asking.ask(conversation.asked));
    on("arrived", (event) => this.#arrive(event.detail));
    for (const name of ["visibilitychange", "focusin"]) document.addEventListener(name, () => this.see(), { signal });
    fit(() => this.element, signal);
    uncover(this.#host, () => this.element, () => this.close(), signal);
  }

  #remove() {
    this.isOpen = false;
    this.notices.stop();
    this.#watch.stop();
    this.uploads.clear();
    this.lines.clear();
    this.element.remove();
  }

  // ---- writing ----

  /** Return whether it went out. */
  async #send(/** @type {string} */ text) {
    await this.settled;
    if (this.asking.stops()) return false;
    await this.conversation.begin();
    const files = await this.uploads.take();
    if (!files || (!text && files.length === 0)) return false;
    await this.conversation.say(text, files);
    this.#remember(); // nothing could be before
    this.lines.toEnd();
    return true;
  }

  #takeBack(/** @type {any} */ line) {
    this.conversation.takeBack(line.id);
    this.composer.text = [line.text, this.composer.text].filter(Boolean).join("\n");
    this.composer.focus();
  }

  #save(/** @type {any} */ line, /** @type {any} */ file) {
    const url = new URL(`file/${line.seq}/${file.n}`, this.#ends.chat);
    save(url, this.memory.token, file.name).catch(() => this.tell(this.words.say("saveFailed", { name: file.name })));
  }

  // ---- drawing ----

  #drawLines() {
    if (this.isOpen) this.lines.draw();
    this.quick.draw();
    this.#showUnread();
    this.asking.offer();
    this.uploads.start();
  }

  #drawLink() {
    this.notices.drawLink(this.words, this.conversation.link);
    if (this.conversation.link === "online") this.uploads.start();
    this.lines.draw();
  }

  #showStatus(/** @type {any} */ status) {
    if (!status) return;
    this.status = status;
    this.notices.drawStatus(this.words, status);
    this.#greet();
  }

  #greet() {
    this.lines.greet([this.words.of(this.status?.incident), this.words.of(this.settings.greeting)].filter(Boolean).join("\n\n"));
  }

  #arrive(/** @type {any} */ line) {
    const isLate = line.seq <= this.conversation.welcome.seq - TOLD_MOST; // of a long absence the last lines are told
    if (line.author !== "customer" && line.seq > this.memory.read && !isLate) {
      this.lines.arrive(line);
      this.#host.tell("message", { author: line.author, name: line.name, text: line.text });
    }
    this.see();
  }

  #showUnread() {
    const { unread } = this.conversation;
    if (unread === this.#unread && this.isOpen) return;
    if (unread !== this.#unread) this.#host.tell("unread", unread);
    this.#unread = unread;
    const label = unread && !this.isOpen ? this.words.say("unread", { count: unread }) : undefined;
    this.#host.showState({ unread, label });
  }

  /** What is on the screen of somebody who looks has been read. */
  see() {
    if (this.isOpen && this.lines.isFollowing && !document.hidden && document.hasFocus()) this.conversation.see();
  }

  #remember() {
    this.memory.keepTab({ isOpen: this.isOpen });
  }
}
