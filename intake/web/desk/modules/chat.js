// @ts-check
// A chat on the ticket's page: a visitor's line stands there the moment it is kept, before it is settled; that they write, and
// that they have read. The settled message has the line's key, so that the same element becomes it. Nothing told here is
// needed: the page that is fetched anew shows the same.
import { announce } from "./announce.js";
import { el, icon } from "./dom.js";
import * as live from "./live.js";
import { keyOf } from "./morph.js";
import * as regions from "./regions.js";
import * as timeline from "./timeline.js";

const TYPING_MS = 6_000;
const SETTLED_MS = 5_000; // by then a line is a message, or of another ticket: the page looks
const MARKS_MS = 1_000; // that something was read is written after a moment

/** @typedef {{ref: string, what: string, session: string, seq: number, author: string, name: string, text: string, at: string, files: number}} Told */
/** @type {Set<(session: string, seq: number) => void>} */
const watchers = new Set();
/** @type {Map<string, {item: Element, drawn_ms: number}>} lines that no fetched page has held yet, by key */
const drawn = new Map();
/** @type {IntersectionObserver | null} */
let inSight = null;
let ref = "";
let last = 0; // the highest number that was told, of whoever spoke
let typing = 0;

/** Hear of each line that has come onto the screen. @param {(session: string, seq: number) => void} watcher */
export function seen(watcher) {
  watchers.add(watcher);
}

export function begin() {
  const list = document.getElementById("timeline");
  if (list === null) return;
  ref = list.dataset.ref ?? "";
  inSight = new IntersectionObserver((found) => found.forEach(sighted));
  regions.before(keep);
  live.on("told", hear);
  document.addEventListener("visibilitychange", lookAgain);
}

/** @param {Told} told */
function hear(told) {
  if (told.ref !== ref) return;
  if (told.what === "chat_line") line(told);
  else if (told.what === "chat_typing") types();
  else if (told.what === "chat_read") read(told.seq);
}

/** @param {Told} told */
function line(told) {
  last = Math.max(last, told.seq);
  if (told.author !== "customer") return; // an answer is a message at once: its event brings it
  types(0);
  const key = `l-${told.seq}@${told.session}`;
  if (timeline.holds(key)) return;
  const item = made(key, told);
  if (!timeline.arrive(item)) return;
  announce("new message");
  drawn.set(key, { item, drawn_ms: performance.now() });
  if (isInSight(item)) sight(item);
  else inSight?.observe(item);
  setTimeout(() => drawn.has(key) && regions.refresh(), SETTLED_MS);
}

// ---- drawing ---------------------------------------------------------------------------------------------------------

/** The line as the message that it will be. @param {string} key @param {Told} told */
function made(key, told) {
  const hour = new Date(told.at).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  const writer = told.name || "A visitor";
  const words = told.text ? [el("div", { class: "words", dir: "auto" }, told.text)] : [];
  const files = told.files ? [el("p", { class: "quiet" }, icon("clip"), told.files === 1 ? "1 file, on its way" : `${told.files} files, on their way`)] : [];
  const day = timeline.lastDay();
  return el(
    "li",
    { class: "item in arriving", "data-key": key, "data-message": "in", "data-day": day, tabindex: "-1" },
    el("article", { class: "bubble", "aria-label": `Message of ${writer}, ${hour}` }, head(told, writer, hour), ...words, ...files),
  );
}

/** What stands above the words: as above the line before, where there is one. @param {Told} told @param {string} writer @param {string} hour */
function head(told, writer, hour) {
  const time = el("time", { datetime: told.at }, hour);
  const before = [...document.querySelectorAll("#timeline > .in")].filter((each) => keyOf(each).endsWith(`@${told.session}`)).at(-1);
  const found = before?.querySelector(".bubble-head")?.cloneNode(true);
  if (!(found instanceof Element)) {
    return el("header", { class: "bubble-head" }, el("span", { class: "medium" }, icon("chat", "Chat")), el("strong", { class: "writer", dir: "auto" }, writer), time);
  }
  found.querySelector(".writer")?.replaceChildren(writer);
  found.querySelector("time")?.replaceWith(time);
  return found;
}

/**
 * A page that was asked for before a line was kept does not take it away.
 * @param {Document} fresh @param {number} asked_ms
 */
function keep(fresh, asked_ms) {
  const list = fresh.getElementById("timeline");
  if (list === null) return;
  const held = new Set([...list.children].map(keyOf));
  for (const [key, { item, drawn_ms }] of drawn) {
    if (!held.has(key) && drawn_ms >= asked_ms && item.isConnected) list.append(fresh.importNode(item, true));
    else drawn.delete(key); // the page has it, or knows better
  }
}

// ---- seen ------------------------------------------------------------------------------------------------------------

/** @param {IntersectionObserverEntry} found */
function sighted(found) {
  if (!found.isIntersecting || document.hidden) return;
  inSight?.unobserve(found.target);
  sight(found.target);
}

/** Whether it stands in the pane now: an observer says so a moment later only. @param {Element} item */
function isInSight(item) {
  const box = item.getBoundingClientRect();
  const pane = document.getElementById("talk")?.getBoundingClientRect() ?? box;
  return !document.hidden && box.bottom > Math.max(pane.top, 0) && box.top < Math.min(pane.bottom, innerHeight);
}

/** @param {Element} item */
function sight(item) {
  const [, seq, session] = /^l-(\d+)@(.+)$/.exec(keyOf(item)) ?? [];
  if (session) for (const each of watchers) each(session, Number(seq));
}

/** What came while nobody looked is on the screen now. */
function lookAgain() {
  if (document.hidden) return;
  for (const each of document.querySelectorAll("#timeline > .arriving")) {
    inSight?.unobserve(each);
    inSight?.observe(each);
  }
}

// ---- beside words ----------------------------------------------------------------------------------------------------

/** @param {number} [for_ms] */
function types(for_ms = TYPING_MS) {
  const place = document.getElementById("typing");
  if (place === null) return;
  clearTimeout(typing);
  const text = for_ms ? "The visitor is writing" : "";
  if (place.textContent !== text) place.textContent = text;
  if (for_ms) typing = setTimeout(() => types(0), for_ms);
}

/** With nothing said since, all that was answered has been read. @param {number} seq */
function read(seq) {
  if (seq >= last) {
    for (const each of document.querySelectorAll("#timeline > .out .delivery:not(.failed)")) each.replaceChildren(icon("checks"), "Read");
  }
  setTimeout(regions.refresh, MARKS_MS);
}
