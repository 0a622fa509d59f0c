// @ts-check
// What this browser keeps of texts under way: a copy of each, from the first key on, until it was sent or thrown away.
import { meta } from "./dom.js";

const PREFIX = "desk:draft:";
const KEPT_MS = 7 * 86_400_000; // what the desk has as well and nobody has touched since

/** @typedef {{fork: string, ref: string, kind: string, who: string, text: string, revision: number, saved: number, seen: string, at: string, fields?: Record<string, string>}} Local */

/** Keep a copy; whether there was room. @param {Local} local */
export function keep(local) {
  try {
    localStorage.setItem(PREFIX + local.fork, JSON.stringify(local));
    return true;
  } catch {
    return false; // full or forbidden
  }
}

/** @param {string} fork */
export function forget(fork) {
  try {
    localStorage.removeItem(PREFIX + fork);
  } catch {
    // then it is found again, and the desk says that it was sent
  }
}

/** What is written on a ticket, on those that were merged into it too. @param {string} ref @param {string} kind @returns {Local[]} */
export function of(ref, kind) {
  return all().filter((each) => each.kind === kind && (each.ref === ref || isHere(each.ref)));
}

/** What the desk does not have. @returns {Local[]} */
export function unsaved() {
  return all().filter((each) => each.text && each.saved < each.revision);
}

/** @returns {Local[]} of who is signed in here */
function all() {
  try {
    return Object.keys(localStorage).filter((key) => key.startsWith(PREFIX)).map(read).filter((each) => each !== null);
  } catch {
    return [];
  }
}

/** @param {string} key @returns {Local | null} null = it is no draft, or another agent's, or long at the desk and nowhere else needed */
function read(key) {
  try {
    const found = JSON.parse(localStorage.getItem(key) ?? "null");
    if (!found || found.who !== meta("desk-who")) return null;
    if (found.saved < found.revision || Date.now() - Date.parse(found.at) < KEPT_MS) return found;
    localStorage.removeItem(key);
  } catch {
    // what cannot be read is no draft
  }
  return null;
}

/** Whether a ticket was merged into this one. @param {string} ref */
function isHere(ref) {
  return ref !== "" && document.querySelector(`#actions [name="merged"][value="${CSS.escape(ref)}"]`) !== null;
}
