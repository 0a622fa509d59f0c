// @ts-check
/** Where the visitor writes: Enter sends, Shift and Enter begins a line; files come by button, paste and drop. */
import { icon, iconButton, make } from "./dom.js";

export class Composer {
  #panel; #uploads; #send; #text; #wrong; #button;
  #isBusy = false;

  /** send: (text) => Promise<boolean>, whether it went out: what did not, and what came meanwhile, stays where it was written. */
  constructor(/** @type {any} */ panel, /** @type {import("./uploads.js").Uploads} */ uploads,
    /** @type {(text: string) => Promise<boolean>} */ send) {
    this.#panel = panel;
    this.#uploads = uploads;
    this.#send = send;
    const { words } = panel;
    this.#wrong = make("p", { class: "wrong", role: "alert" });
    this.#text = make("textarea", { rows: "1", dir: "auto", "aria-label": words.say("write"), placeholder: words.say("write"),
      enterkeyhint: "send", oninput: () => this.#changed(), onkeydown: (/** @type {KeyboardEvent} */ event) => this.#key(event),
      onpaste: (/** @type {ClipboardEvent} */ event) => this.#take(event, event.clipboardData) });
    this.#button = make("button", { type: "submit", class: "main turn", "aria-label": words.say("send"), title: words.say("send") },
      icon("send"));
    this.picker = make("input", { type: "file", multiple: true, hidden: true, onchange: () => this.#pick() });
    this.attach = iconButton("attach", words.say("attach"), () => this.picker.click());
    this.element = make("form", { onsubmit: (/** @type {Event} */ event) => this.#submit(event) }, uploads.element, this.#wrong,
      make("div", { class: "write" }, this.attach, this.picker, this.#text, this.#button));
  }

  get text() {
    return this.#text.value;
  }

  set text(text) {
    this.#text.value = text;
    this.#changed();
  }

  focus() {
    this.#text.focus({ preventScroll: true });
  }

  complain(/** @type {string} */ text) {
    this.#wrong.textContent = text;
  }

  /** Say the limits where the button for files is. */
  limit() {
    const { words, limits } = this.#panel;
    const said = words.say("limits", { count: limits.files, size: words.size(limits.file_bytes) });
    this.attach.title = `${words.say("attach")}: ${said}`;
    this.attach.setAttribute("aria-description", said);
    this.attach.hidden = limits.files === 0;
    this.picker.accept = limits.types.join(",");
  }

  /** Send what is written; also once what it waited for has been answered. */
  async submit() {
    const text = this.text.trim();
    if (this.#isBusy || this.#tooLong() > 0 || (!text && this.#uploads.isEmpty)) return;
    this.#isBusy = this.#button.disabled = true;
    try {
      if (await this.#send(text)) this.#panel.composer.#without(text);
    } finally {
      this.#isBusy = this.#button.disabled = false;
    }
  }

  #without(/** @type {string} */ text) {
    const written = this.text.trimStart();
    this.text = written.startsWith(text) ? written.slice(text.length).trimStart() : written;
  }

  /** Take files that were dropped or pasted. */
  #take(/** @type {Event} */ event, /** @type {DataTransfer | null} */ brought) {
    if (!brought?.files.length || this.#panel.limits.files === 0) return;
    event.preventDefault();
    this.#uploads.add(brought.files);
  }

  /** Let files be dropped anywhere on an element. */
  acceptDrops(/** @type {HTMLElement} */ element) {
    const over = (/** @type {DragEvent} */ event, /** @type {boolean} */ isOver) => {
      if (!event.dataTransfer?.types.includes("Files")) return;
      event.preventDefault();
      element.classList.toggle("over", isOver);
    };
    element.dataset.drop = this.#panel.words.say("dropHere");
    element.addEventListener("dragover", (event) => over(event, true));
    element.addEventListener("dragleave", (event) => over(event, false));
    element.addEventListener("drop", (event) => {
      over(event, false);
      this.#take(event, event.dataTransfer);
    });
  }

  #pick() {
    this.#uploads.add(this.picker.files);
    this.picker.value = "";
    this.focus();
  }

  #submit(/** @type {Event} */ event) {
    event.preventDefault();
    this.submit();
  }

  #key(/** @type {KeyboardEvent} */ event) {
    const isComposing = event.isComposing || event.keyCode === 229; // Safari ends composing before this key
    if (event.key !== "Enter" || event.shiftKey || isComposing) return;
    event.preventDefault();
    this.submit();
  }

  #changed() {
    const over = this.#tooLong();
    this.#text.setAttribute("aria-invalid", String(over > 0));
    this.complain(over > 0 ? this.#panel.words.say("tooLong", { count: over }) : "");
    this.#panel.wrote(this.text);
  }

  #tooLong() {
    return [...this.text.trim()].length - this.#panel.limits.text;
  }
}
