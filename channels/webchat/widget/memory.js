// @ts-check
/**
 * What the chat keeps in the browser: one key, and nothing before the first line is sent.
 *
 * Tabs share it. Each tab holds what it has not seen acknowledged itself and writes that back with every change, so that
 * two tabs writing in the same moment lose nothing of each other's for longer than until the next change. What a tab has
 * taken out is named, so that no other writes it back.
 */

const KEPT_DAYS = 30; // since the chat was last used; the server keeps it no longer either
const DAY_MS = 86_400_000;
const GONE_MOST = 50; // more than tabs could still be about to write back

/**
 * @typedef {{t: string, id: string, at: number, text?: string, files?: any[], context?: any, error?: string}} Waiting
 *   what nobody has acknowledged yet, in the words of the protocol
 * @typedef {{token: string, used: number, read: number, consent: string, box: Waiting[], gone?: string[], person?: string, others?: Kept[]}} Kept
 *   gone: ids of what was last taken out of the box; person: a mark of whom the site has vouched for, not their name; others: chats that stand aside for this one
 */

export class Memory {
  /** @type {Kept | null} */ #kept;
  /** @type {Map<string, Waiting>} */ #own = new Map();
  /** @type {Set<string>} */ #gone = new Set();

  constructor(/** @type {string} */ account) {
    this.key = `chat:${account}`;
    this.#kept = this.#stored();
    for (const each of this.box) this.#own.set(each.id, each);
  }

  get token() {
    return this.#kept?.token ?? "";
  }

  /** The number of the last line that the visitor has seen. */
  get read() {
    return this.#kept?.read ?? 0;
  }

  get consent() {
    return this.#kept?.consent ?? "";
  }

  get person() {
    return this.#kept?.person ?? "";
  }

  /** @returns {readonly Waiting[]} in the order in which they were written */
  get box() {
    return this.#kept?.box ?? [];
  }

  /** The instant of what is written now: behind all that waits, even where a clock was set back. */
  get next() {
    return Math.max(Date.now(), ...this.box.map((each) => each.at + 1));
  }

  /** Begin: with a token of 256 random bits, unless another tab has begun meanwhile. */
  async begin() {
    if (this.token) return;
    const make = () => {
      this.#kept = this.#stored() ?? begun();
      this.#save({});
    };
    await Promise.resolve(navigator.locks?.request(this.key, make) ?? make()).catch(make); // refused where storage is
  }

  agree(/** @type {string} */ consent) {
    this.#save({ consent });
  }

  belongTo(/** @type {string} */ person) {
    this.#save({ person });
  }

  noteRead(/** @type {number} */ read) {
    if (read > this.read) this.#save({ read });
  }

  /** Lines have fewer numbers than were read. */
  startAgain(/** @type {number} */ seq) {
    this.#save({ read: Math.min(this.read, seq) });
  }

  keep(/** @type {Waiting} */ waiting) {
    this.#own.set(waiting.id, waiting);
    this.#save({});
  }

  drop(/** @type {string} */ id) {
    this.#gone.add(id);
    if (this.#own.delete(id) || this.box.some((each) => each.id === id)) this.#save({});
  }

  /** Take over what another tab has written; returns whether it is another chat now, or none. */
  refresh() {
    const before = this.token;
    this.#kept = this.#stored();
    if (this.token !== before) this.#own.clear();
    for (const id of this.#kept?.gone ?? []) this.#own.delete(id);
    return this.token !== before;
  }

  /** Chats that were here before a link opened its own. */
  get others() {
    return (this.#kept?.others ?? []).filter(isFresh);
  }

  /** Begin another chat, and keep this one aside with all that it has. */
  putAside() {
    this.#become({ ...begun(), others: [...this.#alone(), ...this.others] });
  }

  /** Take up the chat that stands aside; what is here stands aside then, unless it is to be forgotten. */
  swap(isKept = true) {
    const [next, ...rest] = this.others;
    this.#become({ ...next, others: isKept ? [...rest, ...this.#alone()] : rest });
  }

  /** Forget what stands aside of other people. person: a mark. */
  keepOthersOf(/** @type {string} */ person) {
    if (this.#kept?.others) this.#become({ ...this.#kept, others: this.others.filter((each) => !each.person || each.person === person) });
  }

  forget() {
    this.#kept = null;
    this.#own.clear();
    try {
      localStorage.removeItem(this.key);
      sessionStorage.removeItem(this.key);
    } catch { /* nothing was kept */ }
  }

  /** What this tab alone remembers once a chat has begun: whether the panel is open, and what is half written. */
  get tab() {
    try {
      return JSON.parse(sessionStorage.getItem(this.key) ?? "{}");
    } catch {
      return {};
    }
  }

  keepTab(/** @type {Record<string, any>} */ change) {
    if (!this.token) return;
    try {
      sessionStorage.setItem(this.key, JSON.stringify({ ...this.tab, ...change }));
    } catch { /* a convenience only */ }
  }

  #alone() {
    return this.#kept ? [{ ...this.#kept, others: undefined }] : [];
  }

  #become(/** @type {Kept} */ kept) {
    this.#kept = kept;
    this.#own = new Map(kept.box.map((each) => [each.id, each]));
    this.#write(kept);
  }

  #save(/** @type {Partial<Kept>} */ change) {
    if (!this.#kept) return;
    const stored = this.#stored();
    // Another tab has gone to another chat in this moment: this one is kept beside it.
    const others = stored?.others?.map((each) => (each.token === this.token ? this.#changed(each, change) : each));
    if (stored && stored.token !== this.token && others) this.#write({ ...stored, others });
    else this.#write(this.#changed(stored ?? { box: [] }, change));
  }

  /** Return what is to be kept now. stored: the chat as another tab may have written it. */
  #changed(/** @type {Pick<Kept, "box" | "gone">} */ stored, /** @type {Partial<Kept>} */ change) {
    const foreign = stored.box.filter((each) => !this.#own.has(each.id));
    const gone = new Set([...(stored.gone ?? []), ...this.#gone]);
    const box = [...foreign, ...this.#own.values()].filter((each) => !gone.has(each.id));
    box.sort((one, other) => one.at - other.at);
    return (this.#kept = { .../** @type {Kept} */ (this.#kept), ...change, used: Date.now(), box, gone: [...gone].slice(-GONE_MOST) });
  }

  #write(/** @type {Kept} */ kept) {
    try {
      localStorage.setItem(this.key, JSON.stringify(kept));
    } catch { /* storage is forbidden or full: this page's memory has to do */ }
  }

  /** @returns {Kept | null} */
  #stored() {
    try {
      const kept = JSON.parse(localStorage.getItem(this.key) ?? "null");
      return kept?.token && Array.isArray(kept.box) && isFresh(kept) ? kept : null;
    } catch {
      return this.#kept ?? null;
    }
  }
}

function isFresh(/** @type {Kept} */ kept) {
  return Date.now() - kept.used < KEPT_DAYS * DAY_MS;
}

/** Return a chat that has just begun. @returns {Kept} */
function begun() {
  return { token: randomToken(), used: Date.now(), read: 0, consent: "", box: [] };
}

function randomToken() {
  const bytes = crypto.getRandomValues(new Uint8Array(32));
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** Return a mark by which the same person is known again; it leads to nobody. jwt: "" when it cannot be read. */
export function markOf(/** @type {string} */ jwt) {
  try {
    const { sub } = JSON.parse(atob(jwt.split(".")[1].replaceAll("-", "+").replaceAll("_", "/")));
    return [...`${sub}`].reduce((mark, each) => Math.imul(mark ^ (each.codePointAt(0) ?? 0), 16_777_619), 2_166_136_261).toString(36);
  } catch {
    return "";
  }
}

/** Return a random UUID; crypto.randomUUID is there on secure pages only. */
export function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = Array.from(bytes, (each) => each.toString(16).padStart(2, "0")).join("");
  return hex.replace(/(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}
