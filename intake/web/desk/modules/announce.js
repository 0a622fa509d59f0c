// @ts-check
// Tells people who do not see the page what changed on it: at most once in ten seconds, all in one sentence, and not at all
// where they have said so.
import { choose, chosen } from "./choices.js";

const LEAST_MS = 10_000;
/** @type {Map<string, number>} */
let counts = new Map();
let timer = 0;
let last_ms = -LEAST_MS;

export function isMuted() {
  return !chosen().announce;
}

/** @param {boolean} isWanted */
export function mute(isWanted) {
  choose({ announce: !isWanted });
}

/** Have something told. @param {string} one "new ticket"; @param {number} [count] how many of it */
export function announce(one, count = 1) {
  if (isMuted() || count < 1) return;
  counts.set(one, (counts.get(one) ?? 0) + count);
  if (!timer) timer = setTimeout(say, Math.max(0, last_ms + LEAST_MS - performance.now()));
}

function say() {
  timer = 0;
  last_ms = performance.now();
  const said = [...counts].map(([one, count]) => (count === 1 ? `1 ${one}` : `${count} ${one}s`)).join(", ");
  counts = new Map();
  const place = document.getElementById("announcer");
  if (place) place.textContent = said;
}
