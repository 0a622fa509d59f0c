// @ts-check
/** Whether somebody is there, in words: what the daemon measured, and nothing nicer. */

const LOOK_AGAIN_MS = 5_000;
const HOUR_S = 3_600;

/** Return what stands under the title. status: the daemon's Status, null = not known. */
export function presenceText(/** @type {any} */ words, /** @type {any} */ status) {
  if (!status) return "";
  if (status.is_live) return status.wait_s ? `${words.say("live")}. ${waitText(words, status.wait_s[1])}` : words.say("live");
  if (status.is_open) return status.wait_s ? waitText(words, status.wait_s[1]) : words.say("busy");
  if (status.answered_by) return words.say("answeredBy", { when: when(words, status.answered_by) });
  return status.next_open ? words.say("awayUntil", { when: when(words, status.next_open) }) : words.say("away");
}

function when(/** @type {any} */ words, /** @type {string} */ instant) {
  const at = new Date(instant);
  return words.say("at", { day: words.day(at), time: words.time(at) });
}

function waitText(/** @type {any} */ words, /** @type {number} */ wait_s) {
  const isHours = wait_s > 1.5 * HOUR_S;
  const count = Math.max(1, Math.ceil(wait_s / (isHours ? HOUR_S : 60)));
  return words.say(isHours ? "waitHours" : "wait", { count });
}

/** Look again and again while the panel is open and no line is up that would tell. */
export class Watch {
  /** @type {any} */ #timer = 0;
  #url; #signal; #see; #isWanted;

  constructor(/** @type {URL} */ url, /** @type {AbortSignal} */ signal, /** @type {(status: any) => void} */ see,
    /** @type {() => boolean} */ isWanted) {
    this.#url = url;
    this.#signal = signal;
    this.#see = see;
    this.#isWanted = isWanted;
  }

  /** isFresh: not what the browser has kept. */
  async look(isFresh = false) {
    this.stop();
    if (!this.#isWanted()) return;
    const status = await fetch(this.#url, { signal: this.#signal, cache: isFresh ? "no-store" : "default" })
      .then((answer) => (answer.ok ? answer.json() : null)).catch(() => null);
    if (!this.#isWanted()) return;
    if (status) this.#see(status);
    this.stop();
    this.#timer = setTimeout(() => this.look(true), LOOK_AGAIN_MS);
  }

  stop() {
    clearTimeout(this.#timer);
  }
}
