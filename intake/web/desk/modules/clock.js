// @ts-check
// Countdowns go by the daemon's time, not by this machine's; the words are those of when.py.
import { meta } from "./dom.js";

const MINUTE = 60;
const HOUR = 3600;
const DAY = 86400;
const SOON_S = HOUR;
let ahead_ms = 0;

/** Take over the daemon's time. @param {string} now RFC 3339 */
export function set(now) {
  const theirs = Date.parse(now);
  if (!Number.isNaN(theirs)) ahead_ms = theirs - Date.now();
}

export function now_ms() {
  return Date.now() + ahead_ms;
}

/** @param {number} seconds */
export function length(seconds) {
  const whole = Math.max(Math.floor(seconds), MINUTE);
  const days = Math.floor(whole / DAY);
  const hours = Math.floor((whole % DAY) / HOUR);
  const minutes = Math.floor((whole % HOUR) / MINUTE);
  const parts = days ? [[days, "d"], [hours, "h"]] : [[hours, "h"], [minutes, "min"]];
  return parts.filter(([count]) => count).map((part) => part.join(" ")).join(" ");
}

/** @param {string} at RFC 3339 @param {number} now milliseconds @returns {{text: string, look: string}} */
export function due(at, now = now_ms()) {
  const left_s = (Date.parse(at) - now) / 1000;
  if (left_s <= 0) return { text: `${length(-left_s)} late`, look: "late" };
  return { text: `in ${length(left_s)}`, look: left_s < SOON_S ? "soon" : "later" };
}

/** Write every countdown anew. @param {ParentNode} [root] */
export function tick(root = document) {
  for (const each of /** @type {NodeListOf<HTMLElement>} */ (root.querySelectorAll("[data-due]"))) {
    const { text, look } = due(each.dataset.due ?? "");
    const words = each.querySelector(".left") ?? each;
    if (words.textContent !== text) words.textContent = text;
    if (each.dataset.look !== look) each.dataset.look = look;
  }
}

/** "10:32", of the daemon's time as this machine's zone has it. */
export function hour() {
  return new Date(now_ms()).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
}

export function begin() {
  set(meta("desk-now"));
  setInterval(() => document.hidden || tick(), 10_000);
  document.addEventListener("visibilitychange", () => document.hidden || tick());
}
