// @ts-check
/**
 * The conversation as it is read: lines of both sides with their state, days between them. What comes is said once to
 * screen readers by a log of its own; what the visitor wrote is not said again to them.
 */
import { button, icon, make } from "./dom.js";

const SHOWN = 100; // further ones at a button: a long chat stays as light as a short one
const NEAR_END_PX = 80;
const SAID_FOR_MS = 20_000; // after the last of them
const SAID_MOST = 20;
const TYPING_SAID_EVERY_MS = 10_000;

/** @typedef {{conversation: import("./conversation.js").Conversation, words: import("./words.js").Words}} Panel */

export class Lines {
  /** @type {Map<string, {drawn: string, item: HTMLElement}>} */ #items = new Map();
  #shown = SHOWN;
  #top = 0;
  /** Whether the reader is where the last line is: it stays on the screen then, whatever comes. */
  isFollowing = true;
  #saidTypingAt = 0;
  /** @type {any} */ #forgets = 0;
  #panel; #acts; #list; #earlier; #typing; #log; #greeting;

  /** acts: save(line, file), takeBack(line). */
  constructor(/** @type {any} */ panel, /** @type {any} */ acts) {
    this.#panel = panel;
    this.#acts = acts;
    const { words } = panel;
    this.#greeting = make("p", { class: "greeting", dir: "auto" });
    this.#earlier = button(words.say("earlier"), () => this.#showEarlier());
    this.#list = make("ol");
    this.#typing = make("p", { class: "typing", hidden: true });
    this.element = make("div", { class: "lines", role: "group", tabindex: "0", "aria-label": words.say("conversation") },
      this.#earlier, this.#greeting, this.#list, this.#typing);
    this.newest = make("button", { type: "button", class: "newest", hidden: true, onclick: () => this.toEnd() },
      words.say("newest"));
    this.#log = make("div", { class: "hidden", role: "log", "aria-live": "polite" });
    this.log = this.#log;
    this.element.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    new ResizeObserver(() => this.isFollowing && this.toEnd()).observe(this.element); // what is asked below takes its room
  }

  greet(/** @type {string} */ text) {
    this.#greeting.textContent = text;
    this.#greeting.hidden = text === "";
  }

  /** Draw what there is; keeps to the end when the reader is there. */
  draw() {
    const all = this.#panel.conversation.lines;
    const lines = all.slice(-this.#shown);
    this.#earlier.hidden = all.length <= this.#shown;
    const known = this.#items;
    this.#items = new Map(); // of what is not shown nothing is held
    const items = lines.flatMap((/** @type {any} */ line, /** @type {number} */ at) => this.#place(known, lines[at - 1], line));
    if (items.some((item, at) => this.#list.children[at] !== item)) this.#list.replaceChildren(...items);
    while (this.#list.children.length > items.length) this.#list.lastChild.remove();
    if (this.isFollowing) this.toEnd();
  }

  drawTyping() {
    const { conversation, words } = this.#panel;
    const name = conversation.typing.trim();
    const text = name ? words.say("typing", { name }) : words.say("typingSomebody");
    this.#typing.hidden = !conversation.typing;
    this.#typing.textContent = conversation.typing ? text : "";
    if (this.isFollowing) this.toEnd();
    if (!conversation.typing || Date.now() - this.#saidTypingAt < TYPING_SAID_EVERY_MS) return;
    this.#saidTypingAt = Date.now();
    this.say(text);
  }

  /** A line has come: say it, and show where it is to who reads further up. */
  arrive(/** @type {any} */ line) {
    if (line.author === "customer") return;
    const files = line.files.map((/** @type {any} */ each) => each.name).join(", ");
    const who = line.author === "system" ? "" : `${this.#author(line)}: `;
    this.say(`${who}${this.#text(line)} ${files}`.trim());
    this.newest.hidden = this.isFollowing;
  }

  say(/** @type {string} */ text) {
    this.#log.append(make("p", { dir: "auto" }, text));
    if (this.#log.children.length > SAID_MOST) this.#log.firstChild.remove();
    clearTimeout(this.#forgets);
    this.#forgets = setTimeout(() => this.#log.replaceChildren(), SAID_FOR_MS);
  }

  toEnd() {
    this.element.scrollTop = this.element.scrollHeight;
    this.newest.hidden = this.isFollowing = true;
  }

  /** Only who goes up stops following: the end may go away from them by itself, for a moment. */
  #scrolled() {
    const { scrollHeight, scrollTop, clientHeight } = this.element;
    if (scrollHeight - scrollTop - clientHeight < NEAR_END_PX) {
      this.newest.hidden = this.isFollowing = true;
      this.#panel.see();
    } else if (scrollTop < this.#top) {
      this.isFollowing = false;
    }
    this.#top = scrollTop;
  }

  clear() {
    clearTimeout(this.#forgets);
    this.#items.clear();
    this.#list.replaceChildren();
  }

  #showEarlier() {
    const before = this.element.scrollHeight;
    this.isFollowing = false;
    this.#shown += SHOWN;
    this.draw();
    this.element.scrollTop += this.element.scrollHeight - before;
    this.element.focus();
  }

  /** Return a line's item, and its day when that begins with it. Items are made anew only when they have changed. */
  #place(/** @type {Map<string, any>} */ known, /** @type {any} */ before, /** @type {any} */ line) {
    const items = [];
    const day = instant(line).toDateString();
    if (!before || instant(before).toDateString() !== day) {
      items.push(this.#kept(known, day, day, () => make("li", { class: "day" }, this.#panel.words.day(instant(line)))));
    }
    const isNext = Boolean(before) && items.length === 0 && authorOf(before) === authorOf(line) && before.name === line.name;
    const mark = this.#mark(line);
    const key = line.id || `#${line.seq}`;
    items.push(this.#kept(known, key, `${mark}|${isNext}|${line.error ?? ""}|${line.seq ?? ""}`, () => this.#item(line, mark, isNext)));
    return items;
  }

  #kept(/** @type {Map<string, any>} */ known, /** @type {string} */ key, /** @type {string} */ drawn, /** @type {() => HTMLElement} */ draw) {
    const before = known.get(key);
    const item = before?.drawn === drawn ? before.item : draw();
    this.#items.set(key, { drawn, item });
    return item;
  }

  #item(/** @type {any} */ line, /** @type {string} */ mark, /** @type {boolean} */ isNext) {
    const author = authorOf(line);
    const looks = ["line", author, isNext && "next", line.error && "failed"].filter(Boolean).join(" ");
    const text = this.#text(line);
    return make("li", { class: looks },
      author !== "system" && make("span", { class: "who" }, make("bdi", {}, this.#author(line))),
      text && make("p", { class: "text", dir: "auto" }, text),
      ...line.files.map((/** @type {any} */ file, /** @type {number} */ at) => this.#file(line, { n: at, ...file })),
      author !== "system" && make("span", { class: "mark" }, mark),
      line.error && this.#turns(line));
  }

  #file(/** @type {any} */ line, /** @type {any} */ file) {
    const { words } = this.#panel;
    const name = words.say("saveFile", { name: file.name, size: words.size(file.size) });
    const save = () => this.#acts.save(line, file);
    return make("button", { type: "button", class: "file", "aria-label": name, onclick: save, disabled: !line.seq },
      icon("file"), make("bdi", {}, file.name), make("span", { class: "mark" }, words.size(file.size)));
  }

  #turns(/** @type {any} */ line) {
    const { conversation, words } = this.#panel;
    return make("div", { class: "turns" },
      button(words.say("takeBack"), () => this.#acts.takeBack(line)),
      button(words.say("discard"), () => conversation.takeBack(line.id)));
  }

  #author(/** @type {any} */ line) {
    return authorOf(line) === "customer" ? this.#panel.words.say("you") : line.name || this.#panel.words.say("us");
  }

  #text(/** @type {any} */ line) {
    const { words } = this.#panel;
    const known = `${line.code ?? ""}`.replace(/_(.)/g, (_, letter) => letter.toUpperCase());
    return line.text || (known && words.has(known) ? words.say(known) : "");
  }

  #mark(/** @type {any} */ line) {
    const { conversation, words } = this.#panel;
    const time = words.time(instant(line));
    if (authorOf(line) !== "customer") return time;
    if (line.error) {
      const why = `why_${line.error}`;
      return words.has(why) ? `${words.say("notSent")}: ${words.say(why)}` : words.say("notSent");
    }
    if (!line.seq) return words.say(conversation.link === "online" && !conversation.asked ? "sending" : "waiting");
    return `${time} · ${words.say(line.seq <= conversation.seenByAgent ? "seen" : "sent")}`;
  }
}

function authorOf(/** @type {any} */ line) {
  return line.author ?? "customer"; // what waits is the visitor's
}

/** Return when it was said: `at` is RFC 3339 from the daemon, milliseconds of what waits. */
function instant(/** @type {any} */ line) {
  return new Date(line.sentAt ?? line.at);
}
