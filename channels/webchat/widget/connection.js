// @ts-check
/**
 * The line to the daemon: a WebSocket, or where a proxy breaks those a streamed answer with posts beside it. It never
 * gives up: after 1 s at first and 60 s at most, with jitter, and at once when the network or the reader comes back.
 */

const FIRST_MS = 1_000;
const MOST_MS = 60_000;
const WELCOME_WITHIN_MS = 8_000;
const PING_AFTER_MS = 25_000;
const PONG_WITHIN_MS = 20_000;
const BAD_TOKEN = 4401;

/**
 * @typedef {{t: string, [key: string]: any}} Said an object of the protocol
 * @typedef {{chat: URL, hello: () => Said, hear: (said: Said) => void, turned: (state: string) => void}} Ends
 */

export class Connection {
  /** @type {Ends} */ #ends;
  /** @type {Socket | Stream | null} */ #line = null;
  /** @type {any} */ #timer = 0;
  /** @type {any} */ #watch = 0;
  #failures = 0;
  #heard = 0;
  #isWanted = false;
  #prefersStream = false;
  #isOnline = false;

  constructor(/** @type {Ends} */ ends, /** @type {AbortSignal} */ signal) {
    this.#ends = ends;
    const wake = () => document.hidden || this.#wake();
    for (const name of ["online", "pageshow", "focus"]) addEventListener(name, wake, { signal });
    document.addEventListener("visibilitychange", wake, { signal });
    addEventListener("offline", () => this.#isWanted && this.#fail(), { signal });
    signal.addEventListener("abort", () => this.stop(), { once: true });
  }

  get isOnline() {
    return this.#isOnline;
  }

  start() {
    if (this.#isWanted) return;
    this.#isWanted = true;
    this.#open();
  }

  stop() {
    this.#isWanted = false;
    this.#close();
    clearTimeout(this.#timer);
  }

  /** Begin the connection anew, with another hello. */
  restart() {
    if (!this.#isWanted) return;
    this.#failures = 0;
    this.#open();
  }

  /** Say it, when anybody listens: nothing is kept for later here. */
  say(/** @type {Said} */ said) {
    if (this.#isOnline) this.#line?.say(said);
  }

  #open() {
    this.#close();
    clearTimeout(this.#timer);
    this.#ends.turned("connecting");
    const heard = (/** @type {Said} */ said) => this.#hear(said);
    const lost = (/** @type {number} */ code) => this.#fail(code);
    const Line = this.#prefersStream ? Stream : Socket;
    this.#line = new Line(this.#ends, heard, lost);
    this.#watch = setTimeout(() => this.#fail(), WELCOME_WITHIN_MS);
  }

  #hear(/** @type {Said} */ said) {
    this.#heard = Date.now();
    if (said.t === "welcome") {
      this.#failures = 0;
      this.#isOnline = true;
      this.#ends.turned("online");
    }
    if (this.#isOnline) this.#expect();
    if (said.t !== "pong") this.#ends.hear(said);
  }

  /** A line that is silent is asked whether it is alive: after sleep or a lost network nobody says that it is not. */
  #expect() {
    clearTimeout(this.#watch);
    this.#watch = setTimeout(() => {
      this.say({ t: "ping" });
      this.#watch = setTimeout(() => this.#fail(), PONG_WITHIN_MS);
    }, PING_AFTER_MS);
  }

  #fail(code = 0) {
    const neverWelcome = !this.#isOnline;
    this.#close();
    if (!this.#isWanted) return;
    if (code === BAD_TOKEN) return this.#ends.turned("refused");
    this.#ends.turned("offline");
    // Who refuses one kind of line may let the other through, at once; the better one is tried again in its turn.
    if (neverWelcome) this.#prefersStream = !this.#prefersStream;
    const isOtherWay = neverWelcome && this.#prefersStream && this.#failures === 0;
    const wait = isOtherWay ? 0 : Math.min(MOST_MS, FIRST_MS * 2 ** Math.max(0, this.#failures - 1));
    this.#failures += 1;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#open(), wait * (0.5 + Math.random()));
  }

  /** Whoever comes back does not wait for the next try; a line from before a sleep is tested first. */
  #wake() {
    if (!this.#isWanted || navigator.onLine === false) return;
    if (!this.#isOnline) {
      this.#failures = 0;
      if (!this.#line) this.#open();
    } else if (Date.now() - this.#heard > PING_AFTER_MS) {
      this.restart();
    }
  }

  #close() {
    clearTimeout(this.#watch);
    this.#isOnline = false;
    this.#line?.close();
    this.#line = null;
  }
}

class Socket {
  #socket;

  constructor(/** @type {Ends} */ { chat, hello }, /** @type {(said: Said) => void} */ hear,
    /** @type {(code: number) => void} */ lost) {
    const url = new URL("socket", chat);
    url.protocol = url.protocol.replace("http", "ws");
    const socket = new WebSocket(url);
    socket.onopen = () => socket.send(JSON.stringify(hello()));
    socket.onmessage = (event) => hear(JSON.parse(event.data));
    socket.onclose = (event) => lost(event.code);
    socket.onerror = () => lost(0); // alone, where the page's policy forbids it
    this.#socket = socket;
  }

  say(/** @type {Said} */ said) {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(said));
  }

  close() {
    this.#socket.onopen = this.#socket.onmessage = this.#socket.onclose = this.#socket.onerror = null;
    this.#socket.close();
  }
}

class Stream {
  #ending = new AbortController();
  #chat; #hello; #hear; #lost;

  constructor(/** @type {Ends} */ { chat, hello }, /** @type {(said: Said) => void} */ hear,
    /** @type {(code: number) => void} */ lost) {
    this.#chat = chat;
    this.#hello = hello();
    this.#hear = hear;
    this.#lost = lost;
    this.#listen().then(() => lost(0), (problem) => this.#break(problem));
  }

  async say(/** @type {Said} */ said) {
    const { page, locale } = this.#hello;
    try {
      const body = JSON.stringify(said.t === "line" ? { ...said, page, locale } : said);
      const answer = await this.#ask("send", { method: "POST", body });
      const answers = await answer.json();
      for (const each of [answers].flat()) this.#hear(each);
    } catch (problem) {
      this.#break(problem);
    }
  }

  close() {
    this.#ending.abort();
  }

  async #listen() {
    const answer = await this.#ask(`stream?after=${this.#hello.after}`, {});
    if (!answer.ok || !answer.body) throw answer;
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      const events = (rest + value).split(/\r?\n\r?\n/);
      rest = events.pop() ?? "";
      for (const each of events) this.#take(each);
    }
  }

  #take(/** @type {string} */ event) {
    const lines = event.split(/\r?\n/).filter((each) => each.startsWith("data:"));
    if (lines.length) this.#hear(JSON.parse(lines.map((each) => each.slice(5)).join("\n")));
  }

  #ask(/** @type {string} */ path, /** @type {RequestInit} */ options) {
    const headers = { Authorization: `Bearer ${this.#hello.token}`, "Content-Type": "application/json" };
    return fetch(new URL(path, this.#chat), { ...options, headers, signal: this.#ending.signal, cache: "no-store" });
  }

  #break(/** @type {any} */ problem) {
    if (!this.#ending.signal.aborted) this.#lost(problem?.status === 401 ? BAD_TOKEN : 0);
  }
}
