// @ts-check
/**
 * What the daemon wants worked out before it takes a line, while there is a flood of them: numbers that, behind its text,
 * have a SHA-256 (FIPS 180-4) that begins with so many zero bits. In plain code, for crypto.subtle takes longer for each
 * short text than this, and is on secure pages only; in slices, so that the page stays as quick as it was.
 */

const SLICE_MS = 8;
const LOOK_EVERY = 64; // hashes between two looks at the clock
const ROUNDS = 64;
const primes = [];
for (let each = 2; primes.length < ROUNDS; each += 1) if (primes.every((prime) => each % prime)) primes.push(each);
const fraction = (/** @type {number} */ root) => ((root % 1) * 2 ** 32) | 0;
const FIRST = Int32Array.from(primes.slice(0, 8), (each) => fraction(each ** (1 / 2)));
const ADDED = Int32Array.from(primes, (each) => fraction(Math.cbrt(each)));
const words = new Int32Array(ROUNDS);

/** Return "<text>:<number>,…" for a challenge; "" = nobody wants it any more. */
export async function solved(/** @type {{text: string, bits: number, parts: number}} */ { text, bits, parts },
  /** @type {() => boolean} */ isWanted) {
  const numbers = [];
  for (let part = 0, number = 0, ends = performance.now() + SLICE_MS; part < parts; number += 1) {
    if (Math.clz32(first(`${text}:${part}:${number}`)) >= bits) {
      numbers.push(number);
      part += 1;
      number = -1;
    }
    if (number % LOOK_EVERY === 0 && performance.now() > ends) {
      await breath();
      if (!isWanted()) return "";
      ends = performance.now() + SLICE_MS;
    }
  }
  return `${text}:${numbers.join(",")}`;
}

/** Let the page do what it has to do: a message comes back behind all that waits, and is not slowed down as timers are. */
function breath() {
  return new Promise((done) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      done(null);
    };
    port2.postMessage(0);
  });
}

/** Return the first 32 bits of the SHA-256 of an ASCII text. */
export function first(/** @type {string} */ text) {
  const state = Int32Array.from(FIRST);
  const blocks = Math.ceil((text.length + 9) / 64);
  for (let block = 0; block < blocks; block += 1) {
    words.fill(0);
    for (let at = 0; at < 64; at += 1) {
      const place = 64 * block + at;
      const code = place < text.length ? text.charCodeAt(place) : place === text.length ? 128 : 0;
      words[at >> 2] |= code << (24 - 8 * (at & 3));
    }
    if (block === blocks - 1) words[15] = 8 * text.length;
    mix(state);
  }
  return state[0];
}

function mix(/** @type {Int32Array} */ state) {
  for (let at = 16; at < ROUNDS; at += 1) {
    const two = words[at - 2];
    const fifteen = words[at - 15];
    words[at] = words[at - 16] + words[at - 7] + (turn(fifteen, 7) ^ turn(fifteen, 18) ^ (fifteen >>> 3))
      + (turn(two, 17) ^ turn(two, 19) ^ (two >>> 10));
  }
  let [a, b, c, d, e, f, g, h] = state;
  for (let at = 0; at < ROUNDS; at += 1) {
    const one = (h + (turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)) + ((e & f) ^ (~e & g)) + ADDED[at] + words[at]) | 0;
    const other = ((turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    [h, g, f, e, d, c, b, a] = [g, f, e, (d + one) | 0, c, b, a, (one + other) | 0];
  }
  [a, b, c, d, e, f, g, h].forEach((each, at) => (state[at] += each));
}

function turn(/** @type {number} */ word, /** @type {number} */ by) {
  return (word >>> by) | (word << (32 - by));
}
