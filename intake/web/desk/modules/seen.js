// @ts-check
// The mark of what an answer's author has seen, as intake/unseen.py writes it: "5.1234", and for each chat on the ticket
// "+2/7@session": two lines of its visitor, the last is its number 7.

/** @typedef {Map<string, {count: number, last: number}>} Lines */

/** @param {string} mark @returns {{base: string, lines: Lines}} */
function read(mark) {
  const [base, ...parts] = mark.split("+");
  const lines = /** @type {Lines} */ (new Map());
  for (const each of parts) {
    const found = /^(\d+)\/(\d+)@(.+)$/.exec(each);
    if (found) lines.set(found[3], { count: Number(found[1]), last: Number(found[2]) });
  }
  return { base, lines };
}

/** @param {string} base @param {Lines} lines */
function written(base, lines) {
  const sessions = [...lines.keys()].sort();
  return base + sessions.map((each) => `+${lines.get(each)?.count}/${lines.get(each)?.last}@${each}`).join("");
}

/** The mark of who has a further line on the screen. @param {string} mark @param {string} session @param {number} seq */
export function andLine(mark, session, seq) {
  const { base, lines } = read(mark);
  const { count, last } = lines.get(session) ?? { count: 0, last: 0 };
  if (!base || seq <= last) return mark;
  return written(base, lines.set(session, { count: count + 1, last: seq }));
}

/** A page's mark, with the lines that came onto the screen while the page was on its way. @param {string} fresh @param {string} own */
export function withLines(fresh, own) {
  const { base, lines } = read(fresh);
  for (const [session, each] of read(own).lines) {
    if (each.last > (lines.get(session)?.last ?? 0)) lines.set(session, each);
  }
  return written(base, lines);
}
