// @ts-check
/**
 * The launcher of the chat: one custom element with one button. It asks for nothing, keeps nothing and draws nothing
 * else until somebody means to write; the panel and its words are loaded then.
 *
 *   <script type="module" async src="https://desk.example.com/chat/widget.js?account=website"></script>
 *   <chat-launcher account="website"><a href="/contact">Write to us</a></chat-launcher>      (where it should stand)
 */

// The daemon writes here where this version of the rest is.
const PATH = "assets/source/";

const HERE = new URL(".", import.meta.url);
const ACCOUNT = new URL(import.meta.url).searchParams.get("account");
const WORDS = {
  en: ["Chat with us", "Close the chat"],
  pl: ["Napisz do nas", "Zamknij czat"],
  el: ["Γράψτε μας", "Κλείσιμο συνομιλίας"],
  es: ["Escríbanos", "Cerrar el chat"],
  pt: ["Fale connosco", "Fechar o chat"],
  de: ["Schreiben Sie uns", "Chat schließen"],
  fr: ["Écrivez-nous", "Fermer la discussion"],
};
// A page's own rules for the element win over those of :host, unless these are important: the element is nothing but a
// place that takes no room, whatever a page does to all elements, and what is to be seen begins within.
const LOOK = `
:host { all: initial; position: fixed !important; z-index: 2147483000 !important; visibility: hidden !important;
  transform: none !important; filter: none !important; }
:host([hidden]) { display: none !important; }
[role=region] { all: initial; position: fixed; inset-block-end: var(--chat-block, 1.25em);
  inset-inline-end: var(--chat-inline, 1.25em); margin-block-end: env(safe-area-inset-bottom);
  font: medium/1.5 var(--chat-font, system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif);
  color-scheme: light dark; }
:host([side="start"]) [role=region] { inset-inline: var(--chat-inline, 1.25em) auto; }
.launch { display: flex; align-items: center; gap: .5em; min-block-size: 3.25em; min-inline-size: 3.25em;
  padding: 0 1.125em 0 1em; border: 0; border-radius: 1.75em; cursor: pointer; font: inherit; font-weight: 600;
  color: var(--chat-accent-ink, #fff); background: var(--chat-accent, #0b5f66);
  box-shadow: 0 1px 2px #0004, 0 6px 20px #0003; transition: opacity .15s, transform .15s; }
.launch:hover { filter: brightness(1.08); }
.launch:focus-visible { outline: 3px solid #1d2125; outline-offset: 3px; box-shadow: 0 0 0 3px #fff, 0 0 0 9px #fff; }
.launch svg { inline-size: 1.5em; block-size: 1.5em; flex: none; }
@media (max-width: 30em), (max-height: 26em) { .launch[aria-expanded="true"] { display: none; } }
.launch:is([aria-expanded="true"], [aria-busy]) { padding: 0; justify-content: center; }
.launch:is([aria-expanded="true"], [aria-busy]) .word { display: none; }
.launch.aside:not(:focus-visible) { opacity: 0; pointer-events: none; transform: translateY(.5em); }
.count { position: absolute; inset-block-start: -.375em; inset-inline-end: -.25em; min-inline-size: 1.5em;
  padding: 0 .375em; box-sizing: border-box; border-radius: .75em; background: #b3261e; color: #fff;
  font-size: .8125em; line-height: 1.5em; font-weight: 700; text-align: center; }
.count[hidden] { display: none; }
@media (max-width: 30em) { .launch { padding: 0; justify-content: center; }
  .word { position: absolute; inline-size: 1px; block-size: 1px; overflow: hidden; clip-path: inset(50%); } }
@media (prefers-color-scheme: dark) { .launch { color: var(--chat-accent-ink, #0d2325);
  background: var(--chat-accent, #6cc5c9); } }
@media (prefers-reduced-motion: reduce) { .launch { transition: none; } }
@media (forced-colors: active) { .launch, .count { border: 1px solid ButtonText; } }
@media print { :host { display: none; } }`;
const BUBBLE = "M5 4h14a3 3 0 0 1 3 3v7a3 3 0 0 1-3 3h-7l-5 4v-4H5a3 3 0 0 1-3-3V7a3 3 0 0 1 3-3z";
const CROSS = "M6 6l12 12M18 6L6 18";

/** Return the language for the words: of the element, of the page, of the reader; "en" when we have none of them. */
function languageOf(/** @type {HTMLElement} */ element) {
  const page = element.closest("[lang]")?.getAttribute("lang") ?? "";
  const wanted = [page, ...navigator.languages].map((each) => each.slice(0, 2).toLowerCase());
  return wanted.find((each) => each in WORDS) ?? "en";
}

function drawing() {
  const icon = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  icon.setAttribute("viewBox", "0 0 24 24");
  icon.setAttribute("aria-hidden", "true");
  for (const [name, value] of [["fill", "none"], ["stroke", "currentColor"], ["stroke-width", "2"],
    ["stroke-linecap", "round"], ["stroke-linejoin", "round"], ["d", BUBBLE]]) path.setAttribute(name, value);
  icon.append(path);
  return { icon, path };
}

/** The chat's button, and the page's way to speak with the chat. */
class ChatLauncher extends HTMLElement {
  static observedAttributes = ["lang"];

  /** @type {AbortController | null} */ #life = null;
  /** @type {Promise<any> | null} */ #panel = null;
  /** @type {HTMLButtonElement} */ #button;
  /** @type {Promise<void> | null} pressing twice while it loads is pressing once */ #turning = null;
  #path; #word; #count;
  /** @type {Record<string, string>} */ context = {};

  constructor() {
    super();
    const root = this.attachShadow({ mode: "open" });
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(LOOK);
    root.adoptedStyleSheets = [sheet];
    const { icon, path } = drawing();
    this.#path = path;
    this.#button = document.createElement("button");
    this.#word = document.createElement("span");
    this.#count = document.createElement("span");
    this.#button.type = "button";
    this.#button.className = "launch";
    this.#word.className = "word";
    this.#count.className = "count";
    this.#count.setAttribute("aria-hidden", "true");
    this.#button.append(icon, this.#word, this.#count);
    this.region = document.createElement("div");
    this.region.setAttribute("role", "region");
    this.region.append(this.#button);
    root.append(this.region);
    this.showState({ isOpen: false });
  }

  connectedCallback() {
    if (this.#life) return; // moved within the page
    this.#life = new AbortController();
    const { signal } = this.#life;
    const once = { once: true, signal, passive: true };
    this.#button.addEventListener("click", () => (this.#turning ??= this.#turn()), { signal });
    for (const intent of ["pointerenter", "focus", "touchstart"]) {
      this.#button.addEventListener(intent, () => this.#load().catch(() => {}), once);
    }
    for (const moved of ["focusin", "scroll", "resize"]) {
      window.addEventListener(moved, () => this.#stepAside(), { signal, passive: true });
    }
    this.showState({ isOpen: false });
    const isKnown = this.#resume();
    if (this.getAttribute("away") === "hide" && !isKnown) this.#hideWhileAway(signal);
  }

  disconnectedCallback() {
    queueMicrotask(() => this.isConnected || this.#end());
  }

  attributeChangedCallback() {
    this.showState({});
  }

  get account() {
    return this.getAttribute("account") ?? ACCOUNT ?? "chat";
  }

  /** Open the panel; resolves when it can be written in. */
  async open() {
    await (await this.#load()).open();
  }

  async close() {
    await (await this.#panel)?.close();
  }

  /** Say who the visitor is: jwt is made and signed by the page's own server. */
  async identify(/** @type {string} */ jwt) {
    await (await this.#load()).identify(jwt);
  }

  /** Forget the visitor in this browser, as when they sign out. */
  async logout() {
    await (await this.#load()).logout();
  }

  async setLocale(/** @type {string} */ locale) {
    this.lang = locale;
    await (await this.#panel)?.setLocale(this.language);
  }

  /** Tell what the page knows, with each line from now on: short texts by name. It proves nothing. */
  async setContext(/** @type {Record<string, string>} */ context) {
    this.context = { ...context };
  }

  /** Hear of "ready", "open", "close", "message", "unread" and "identify" (it is wanted); returns what ends it. */
  on(/** @type {string} */ name, /** @type {(detail: any) => void} */ hear) {
    const ending = new AbortController();
    this.addEventListener(`chat-${name}`, (event) => hear(/** @type {CustomEvent} */ (event).detail), ending);
    return () => ending.abort();
  }

  /** Take the chat off the page, with all that it began. */
  async destroy() {
    this.remove();
    this.#end();
  }

  get language() {
    return languageOf(this);
  }

  /** Draw the button; label: its name when the words of the panel know a better one. */
  showState(/** @type {{isOpen?: boolean, unread?: number, label?: string}} */ { isOpen, unread = 0, label }) {
    const open = isOpen ?? this.#button.getAttribute("aria-expanded") === "true";
    const [write, close] = WORDS[/** @type {keyof WORDS} */ (this.language)];
    this.#button.setAttribute("aria-expanded", String(open));
    this.#button.setAttribute("aria-label", label ?? (open ? close : this.getAttribute("label") ?? write));
    this.region.setAttribute("aria-label", this.getAttribute("label") ?? write);
    this.#word.textContent = this.getAttribute("label") ?? write;
    this.#path.setAttribute("d", open ? CROSS : BUBBLE);
    this.#count.textContent = String(Math.min(unread, 99));
    this.#count.hidden = open || unread === 0;
  }

  /** Say it to the page. */
  tell(/** @type {string} */ name, /** @type {any} */ detail) {
    this.dispatchEvent(new CustomEvent(`chat-${name}`, { detail }));
  }

  focusButton() {
    this.#button.focus();
  }

  /** What is pressed answers at once, however slow the network: what moves later would count as the page's (layout shift). */
  async #turn() {
    this.#button.ariaBusy = "true";
    try {
      const panel = await this.#load();
      await (panel.isOpen ? panel.close() : panel.open());
    } catch { /* it can be pressed again */ }
    this.#button.ariaBusy = null;
    this.#turning = null;
  }

  /** Load the panel once, its words at the same time. A network that fails is asked again at the next try. */
  #load() {
    const life = this.#life;
    if (!life) return Promise.reject(new Error("the chat is not on the page"));
    const base = new URL(PATH, HERE).href;
    import(`${base}strings.${this.language}.js`).catch(() => {});
    this.#panel ??= import(`${base}panel.js`)
      .then((module) => module.mount(this, { chat: new URL(`${this.account}/`, HERE), signal: life.signal }))
      .catch((problem) => {
        this.#panel = null;
        throw problem;
      });
    return this.#panel;
  }

  /** Go on where a chat has begun, and return whether one has: its answers are counted on the button. */
  #resume() {
    let isKnown = false;
    try {
      isKnown = localStorage.getItem(`chat:${this.account}`) !== null;
    } catch { /* storage is forbidden here: nothing was kept */ }
    const later = window.requestIdleCallback ?? setTimeout;
    if (isKnown || location.hash.startsWith("#chat=")) later(() => this.#load().catch(() => {}));
    return isKnown;
  }

  /** Never stand on what has the page's focus (WCAG 2.2, 2.4.11). */
  #stepAside() {
    const focused = document.activeElement;
    const isCovered = focused && focused !== this && focused !== document.body && meet(focused, this.#button);
    this.#button.classList.toggle("aside", Boolean(isCovered));
  }

  async #hideWhileAway(/** @type {AbortSignal} */ signal) {
    const status = await fetch(new URL(`${this.account}/status.json`, HERE), { signal })
      .then((answer) => answer.json())
      .catch(() => null);
    this.hidden = status !== null && !status.is_open;
  }

  #end() {
    this.#life?.abort();
    this.#life = null;
    this.#panel = null;
    this.showState({ isOpen: false });
  }
}

function meet(/** @type {Element} */ one, /** @type {Element} */ other) {
  const a = one.getBoundingClientRect();
  const b = other.getBoundingClientRect();
  return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
}

/** Put the element on a page that names an account in the script's address and has none. */
function insert() {
  if (ACCOUNT === null || document.querySelector("chat-launcher")) return;
  document.body.append(document.createElement("chat-launcher"));
}

if (!customElements.get("chat-launcher")) {
  customElements.define("chat-launcher", ChatLauncher);
  // Not before the page is read: it may have the element further down.
  if (document.readyState === "loading") addEventListener("DOMContentLoaded", insert, { once: true });
  else insert();
}
