// @ts-check
/** What is done with the whole chat: take a copy, end it, forget it. A list of buttons under one that opens it. */
import { button, iconButton, make } from "./dom.js";
import { save } from "./uploads.js";

export class Menu {
  #panel; #chat; #other;

  /** panel: gives words, memory, conversation, asking, tell(text); form: the page's own way to write to us, or null. */
  constructor(/** @type {any} */ panel, /** @type {URL} */ chat, /** @type {HTMLAnchorElement | null} */ form) {
    this.#panel = panel;
    this.#chat = chat;
    const { words } = panel;
    this.opener = iconButton("more", words.say("menu"), () => this.turn());
    this.element = make("div", { class: "menu", role: "group", "aria-label": words.say("menu"), hidden: true },
      this.#item("transcriptText", () => this.#save("txt")),
      this.#item("transcriptPage", () => this.#save("html")),
      this.#item("transcriptMail", () => this.#mail()),
      this.#item("end", () => panel.conversation.turn({ t: "end" })),
      this.#item("forget", () => panel.asking.askForget(() => panel.forget())),
      (this.#other = this.#item("otherBack", () => panel.conversation.swap())),
      form && make("a", { href: form.href }, words.say("form")));
    this.turn(false);
  }

  get isOpen() {
    return !this.element.hidden;
  }

  turn(isOpen = !this.isOpen) {
    this.element.hidden = !isOpen;
    this.opener.setAttribute("aria-expanded", String(isOpen));
    // Without a chat there is nothing to take along, end or forget.
    for (const each of this.element.querySelectorAll("button")) each.disabled = !this.#panel.conversation.hasBegun;
    this.#other.hidden = this.#panel.memory.others.length === 0;
  }

  #item(/** @type {string} */ key, /** @type {() => any} */ act) {
    return button(this.#panel.words.say(key), () => this.#choose(act), "");
  }

  async #choose(/** @type {() => any} */ act) {
    const { words } = this.#panel;
    this.turn(false);
    this.opener.focus();
    try {
      await act();
    } catch {
      this.#panel.tell(words.say("wrong"));
    }
  }

  async #save(/** @type {string} */ form) {
    const url = new URL(`transcript?as=${form}`, this.#chat);
    await save(url, this.#panel.memory.token, `chat.${form}`);
  }

  async #mail() {
    const { words, memory } = this.#panel;
    const headers = { Authorization: `Bearer ${memory.token}` };
    const answer = await fetch(new URL("transcript", this.#chat), { method: "POST", headers });
    if (answer.status === 409) return this.#panel.asking.askAddress(() => this.#choose(() => this.#mail()));
    if (!answer.ok) throw new Error(String(answer.status));
    this.#panel.tell(words.say("transcriptSent"));
  }
}
