// @ts-check
/** The panel's words in the reader's language: texts with {places}, plurals by the rules of the language, instants. */

export const LANGUAGES = ["en", "pl", "el", "es", "pt", "de", "fr"];

/** Load the words of a language; what the server's own settings say for a language is chosen in the same way. */
export async function wordsOf(/** @type {string} */ language) {
  const known = LANGUAGES.includes(language) ? language : "en";
  const { default: texts } = await import(`./strings.${known}.js`);
  return new Words(known, texts);
}

export class Words {
  #texts; #plural; #clock;

  constructor(/** @type {string} */ language, /** @type {Record<string, any>} */ texts) {
    this.language = language;
    this.#texts = texts;
    this.#plural = new Intl.PluralRules(language);
    this.#clock = new Intl.DateTimeFormat(language, { hour: "numeric", minute: "2-digit" }); // dear to make, cheap to ask
  }

  /** Return a text, its places filled; `count` chooses between singular and plurals. */
  say(/** @type {string} */ key, /** @type {Record<string, any>} */ values = {}) {
    const forms = this.#texts[key];
    const text = typeof forms === "object" ? (forms[this.#plural.select(values.count)] ?? forms.other) : forms;
    return text.replace(/\{(\w+)\}/g, (/** @type {string} */ _, /** @type {string} */ name) => values[name] ?? "");
  }

  has(/** @type {string} */ key) {
    return key in this.#texts;
  }

  /** Return what is said in this language, else in English, else in any. */
  of(/** @type {Record<string, any> | null | undefined} */ byLanguage) {
    if (!byLanguage || typeof byLanguage === "string") return byLanguage ?? "";
    return byLanguage[this.language] ?? byLanguage.en ?? Object.values(byLanguage)[0] ?? "";
  }

  time(/** @type {Date} */ at) {
    return this.#clock.format(at);
  }

  /** Return a day as it is spoken of: "today", "yesterday", or its date. */
  day(/** @type {Date} */ at) {
    const days = Math.round((midnight(at) - midnight(new Date())) / 86_400_000);
    if (Math.abs(days) < 2) return new Intl.RelativeTimeFormat(this.language, { numeric: "auto" }).format(days, "day");
    return at.toLocaleDateString(this.language, { weekday: "long", day: "numeric", month: "long" });
  }

  size(/** @type {number} */ bytes) {
    const [unit, by] = bytes < 1_000_000 ? ["kilobyte", 1_000] : ["megabyte", 1_000_000];
    const options = /** @type {any} */ ({ style: "unit", unit, maximumFractionDigits: bytes < 10 * by ? 1 : 0 });
    return new Intl.NumberFormat(this.language, options).format(bytes / by);
  }
}

function midnight(/** @type {Date} */ at) {
  return Date.UTC(at.getFullYear(), at.getMonth(), at.getDate());
}
