// @ts-check
// Parts of a page that are fetched anew when something happened that touches them: the whole page is asked for, as at first,
// and its regions ([data-region]) are made what they are there. A hidden tab waits until somebody looks at it.
import { tick } from "./clock.js";
import { morph } from "./morph.js";
import { adopt } from "./session.js";

const PAUSE_MS = 250; // a settled message is several events
const AGAIN_MS = 4_000; // after one that failed, then twice as long each time
const AGAIN_MOST_MS = 60_000;
const LEAST_MS = 1_000; // between two fetches, however much happens

/** @type {Map<string, (old: Element, fresh: Element) => void>} */
const ways = new Map();
/** @type {Set<(fresh: Document) => void>} */
const followers = new Set();
/** @type {Set<(fresh: Document, asked_ms: number) => void>} */
const readers = new Set();
let isWanted = false;
let isRunning = false;
let last_ms = 0;
let timer = 0;
let again_ms = AGAIN_MS;

/** Let a region be changed in a way of its own. @param {string} id @param {(old: Element, fresh: Element) => void} way */
export function changed(id, way) {
  ways.set(id, way);
}

/** Call after each change, with the fresh page. @param {(fresh: Document) => void} follower */
export function after(follower) {
  followers.add(follower);
}

/** Call before each change, with the fresh page and when it was asked for (performance.now). @param {(fresh: Document, asked_ms: number) => void} reader */
export function before(reader) {
  readers.add(reader);
}

/** Ask for the regions soon. */
export function refresh() {
  isWanted = true;
  if (document.hidden || isRunning || timer) return;
  const wait_ms = Math.max(PAUSE_MS, last_ms + LEAST_MS - Date.now());
  timer = setTimeout(run, wait_ms);
}

/** Whether everything that was asked for is shown. */
export function isFresh() {
  return !isWanted && !isRunning;
}

/** Ask at once. */
export async function run() {
  clearTimeout(timer);
  timer = 0;
  isWanted = false;
  isRunning = true;
  const asked_ms = performance.now();
  const fresh = await load(location.href);
  isRunning = false;
  last_ms = Date.now();
  if (fresh === null) {
    later();
    return;
  }
  again_ms = AGAIN_MS;
  if (!adopt(fresh)) return;
  for (const each of readers) each(fresh, asked_ms);
  apply(fresh);
  if (isWanted) refresh();
}

/** Try again after a while. */
function later() {
  isWanted = true;
  timer = setTimeout(run, again_ms * (0.75 + Math.random() / 2));
  again_ms = Math.min(again_ms * 2, AGAIN_MOST_MS);
}

/** Ask at once for what a failure has put off. */
export function hurry() {
  if (!isWanted) return;
  clearTimeout(timer);
  timer = 0;
  again_ms = AGAIN_MS;
  refresh();
}

/** @param {Document} fresh */
function apply(fresh) {
  for (const old of document.querySelectorAll("[data-region]")) {
    const found = fresh.getElementById(old.id);
    if (found === null) continue;
    (ways.get(old.id) ?? morph)(old, found);
  }
  tick();
  for (const each of followers) each(fresh);
}

/**
 * Fetch a page as a document that runs nothing; null when it cannot be had now. Parsing by the loader is no string that
 * becomes markup, and so is left alone by Trusted Types.
 * @param {string} url @returns {Promise<Document | null>}
 */
export function load(url) {
  return new Promise((done) => {
    const asked = new XMLHttpRequest();
    asked.open("GET", url);
    asked.responseType = "document";
    asked.timeout = 20_000;
    asked.setRequestHeader("Accept", "text/html");
    asked.onload = () => done(isPage(asked, url) ? asked.responseXML : null);
    asked.onerror = asked.ontimeout = () => done(null);
    asked.send();
  });
}

/** Whether the answer is the page that was asked for, not where somebody is sent who has signed out. @param {XMLHttpRequest} asked @param {string} url */
function isPage(asked, url) {
  const here = new URL(url, location.href);
  const there = new URL(asked.responseURL || url, location.href);
  if (there.pathname !== here.pathname || asked.status === 401) document.dispatchEvent(new Event("desk:signed-out"));
  return asked.status === 200 && there.pathname === here.pathname && asked.responseXML !== null;
}

export function begin() {
  document.addEventListener("visibilitychange", () => isWanted && refresh());
  window.addEventListener("pageshow", (event) => event.persisted && refresh());
}
