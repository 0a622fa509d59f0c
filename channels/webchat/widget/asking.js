// @ts-check
/** What is asked between writing and sending: agreement, and an address for the answer. What was written stays. */
import { button, make } from "./dom.js";

export class Asking {
  #panel;
  #isContactKnown = false;

  constructor(/** @type {any} */ panel) {
    this.#panel = panel;
    this.element = make("div", { class: "asks", hidden: true });
  }

  get mustAgree() {
    const { conversation, memory, settings } = this.#panel;
    const wanted = settings.consent?.version;
    return Boolean(wanted) && (memory.consent !== wanted || conversation.asked === "consent_required");
  }

  /** Whether the daemon knows that the visitor agrees: it takes no file before. */
  get hasAgreed() {
    return !this.mustAgree && !this.#panel.memory.box.some((/** @type {any} */ each) => each.t === "consent");
  }

  /** Ask what has to be answered before a line may go; returns whether there is anything. */
  stops() {
    if (this.mustAgree) this.#askConsent();
    else if (this.#mustGiveContact) this.#askNeeded();
    else return false;
    return true;
  }

  /** The daemon wants something before it takes what waits. */
  async ask(/** @type {string} */ asked) {
    if (asked === "consent_required") await this.#panel.learn(); // it may be another text by now
    if (asked === "contact_required") {
      this.#isContactKnown = false; // whatever the page believed
      this.#askNeeded();
    } else if (asked === "consent_required" && this.#panel.settings.consent) this.#askConsent();
    else if (asked === "identity_required") this.#panel.wantIdentity();
    else this.#show(null);
  }

  /** Ask for an address, and go on with it. */
  askAddress(/** @type {() => void} */ goOn) {
    this.#askContact("contactTitle", goOn);
  }

  /** Whoever has written and can be reached nowhere else is asked once where; they may say no. */
  offer() {
    const { conversation, memory, isOpen } = this.#panel;
    const hasWritten = conversation.lines.some((/** @type {any} */ each) => each.seq && each.author !== "agent");
    if (!isOpen || !hasWritten || this.#hasContact || memory.tab.isDeclined || this.element.firstChild) return;
    const { words } = this.#panel;
    this.#show(asked(words.say("contactTitle"), make("p", {}, words.say("contactWhy")), make("div", { class: "turns" },
      button(words.say("contactGive"), () => this.#askContact("contactWhy")), this.#no("later"))), false);
  }

  askForget(/** @type {() => void} */ forget) {
    this.#confirm(["forget", "forgetSure", "forgetYes", "forgetNo"], forget);
  }

  /** A link opens another chat than the one that is here: nobody is taken there unasked. */
  askOther(/** @type {() => void} */ follow) {
    this.#confirm(["otherChat", "otherKept", "otherGo", "later"], follow);
  }

  /** keys: of the title, why, yes and no. */
  #confirm(/** @type {string[]} */ [title, why, yes, no], /** @type {() => void} */ act) {
    const { words } = this.#panel;
    const sure = () => {
      act();
      this.#leave();
    };
    this.#show(asked(words.say(title), make("p", {}, words.say(why)),
      make("div", { class: "turns" }, button(words.say(yes), sure, "main"), this.#no(no))));
  }

  get #hasContact() {
    const { conversation, settings } = this.#panel;
    const { has_contact, is_identified } = conversation.welcome;
    // Before the first welcome nobody knows; after it, false is said.
    return settings.contact === "never" || this.#isContactKnown || has_contact === true || is_identified === true;
  }

  get #mustGiveContact() {
    const { conversation, status } = this.#panel;
    return (conversation.asked === "contact_required" || status?.is_open === false) && !this.#hasContact;
  }

  #askConsent() {
    const { words, settings, conversation, composer, memory } = this.#panel;
    const { text, link, version } = settings.consent;
    const href = words.of(link);
    const agree = async () => {
      this.#show(null);
      await conversation.begin();
      memory.agree(version);
      conversation.turn({ t: "consent", version }).catch(() => {});
      composer.submit();
    };
    this.#show(asked(words.say("consentTitle"), make("p", { dir: "auto" }, words.of(text)),
      href && make("p", {}, make("a", { href, target: "_blank", rel: "noopener" }, href)),
      make("div", { class: "turns" }, button(words.say("agree"), agree, "main"), this.#no("later"))));
  }

  #askNeeded() {
    this.#askContact("contactNeeded", () => this.#panel.composer.submit());
  }

  /** why: the text that says it. goOn: what waits for the address. */
  #askContact(/** @type {string} */ why, goOn = () => {}) {
    const { words } = this.#panel;
    const wrong = make("p", { class: "wrong", role: "alert" });
    const email = make("input", { type: "email", autocomplete: "email", dir: "ltr", required: true, maxlength: 254 });
    const name = make("input", { autocomplete: "name", dir: "auto", maxlength: 100 });
    const submit = (/** @type {Event} */ event) => {
      event.preventDefault();
      email.setAttribute("aria-invalid", String(!email.validity.valid));
      wrong.textContent = email.validity.valid ? "" : words.say("badEmail");
      if (email.validity.valid) this.#give(email.value.trim(), name.value.trim(), goOn);
      else email.focus();
    };
    const form = make("form", { novalidate: true, class: "ask", onsubmit: submit },
      why !== "contactTitle" && make("p", {}, words.say(why)),
      make("label", {}, words.say("email"), email), wrong, make("label", {}, words.say("name"), name),
      make("div", { class: "turns" }, make("button", { type: "submit", class: "main" }, words.say("save")), this.#no("later")));
    this.#show(asked(words.say("contactTitle"), form));
    email.focus();
  }

  async #give(/** @type {string} */ email, /** @type {string} */ name, /** @type {() => void} */ goOn) {
    const { words, conversation } = this.#panel;
    await conversation.begin(); // so that the address goes before the line
    this.#isContactKnown = true;
    this.#show(null);
    this.#panel.tell(words.say("contactSaved", { email }));
    const given = conversation.turn({ t: "contact", email, name });
    goOn();
    await given.catch(() => this.#refused());
  }

  #refused() {
    this.#isContactKnown = false;
    this.#panel.tell(this.#panel.words.say("badEmail"));
  }

  #no(/** @type {string} */ key) {
    return button(this.#panel.words.say(key), () => this.#leave());
  }

  #leave() {
    this.#panel.memory.keepTab({ isDeclined: true });
    this.#panel.uploads.letGo();
    this.#show(null);
  }

  /** takesPlace: nothing can be written meanwhile; otherwise it is only offered above the text. */
  #show(/** @type {HTMLElement | null} */ ask, takesPlace = true) {
    const { composer } = this.#panel;
    const hadFocus = this.element.contains(this.element.getRootNode().activeElement);
    this.element.replaceChildren(...(ask ? [ask] : []));
    this.element.hidden = !ask;
    composer.element.hidden = Boolean(ask) && takesPlace;
    this.#panel.quick.draw();
    if (ask && takesPlace) ask.focus();
    else if (hadFocus) composer.focus();
  }
}

function asked(/** @type {string} */ title, /** @type {any[]} */ ...parts) {
  return make("div", { class: "ask", role: "group", "aria-label": title, tabindex: "-1" }, make("strong", {}, title), ...parts);
}
