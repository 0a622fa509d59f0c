// @ts-check
// What this browser remembers for its agent. A browser that keeps nothing works all the same.

/** @template T @param {string} name @param {T} otherwise @returns {T} */
export function kept(name, otherwise) {
  try {
    const found = localStorage.getItem(`desk:${name}`);
    return found === null ? otherwise : JSON.parse(found);
  } catch {
    return otherwise;
  }
}

/** @param {string} name @param {unknown} value */
export function keep(name, value) {
  try {
    localStorage.setItem(`desk:${name}`, JSON.stringify(value));
  } catch {
    // full or forbidden: it holds until the page is left
  }
}
