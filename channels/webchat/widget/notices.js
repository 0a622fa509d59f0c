// @ts-check
/** What the panel says about itself: whether somebody is there, whether the line is up, and things in passing. */
import { make } from "./dom.js";
import { presenceText } from "./presence.js";

const ONLINE_SAID_MS = 4_000;
const SAID_MS = 12_000;

export class Notices {
  /** @type {any} */ #saidTimer = 0;
  /** @type {any} */ #backTimer = 0;
  #wasOffline = false;

  constructor() {
    this.state = make("p", { class: "state", role: "status" });
    this.link = make("p", { class: "link", role: "status" });
    this.said = make("p", { class: "said", role: "status", dir: "auto" });
  }

  /** Say something in passing, on the screen and to screen readers. */
  tell(/** @type {string} */ text) {
    clearTimeout(this.#saidTimer);
    this.said.textContent = text;
    this.#saidTimer = setTimeout(() => (this.said.textContent = ""), SAID_MS);
  }

  drawLink(/** @type {import("./words.js").Words} */ words, /** @type {string} */ link) {
    clearTimeout(this.#backTimer);
    const isBack = link === "online" && this.#wasOffline;
    if (link === "offline" || link === "refused") this.link.textContent = words.say(link);
    else if (isBack) this.link.textContent = words.say("online");
    if (isBack) this.#backTimer = setTimeout(() => (this.link.textContent = ""), ONLINE_SAID_MS);
    if (link === "idle") this.link.textContent = "";
    if (link !== "connecting") this.#wasOffline = link === "offline";
  }

  drawStatus(/** @type {import("./words.js").Words} */ words, /** @type {any} */ status) {
    this.state.textContent = presenceText(words, status);
    this.state.classList.toggle("live", status.is_live);
  }

  stop() {
    clearTimeout(this.#backTimer);
    clearTimeout(this.#saidTimer);
  }
}
