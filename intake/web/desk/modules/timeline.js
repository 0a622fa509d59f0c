// @ts-check
// The conversation: opens at its newest part, takes in what comes without moving what is read, fetches earlier parts as they
// are asked for, and keeps so few of them in the page that it stays quick with thousands.
import { announce } from "./announce.js";
import { el, icon } from "./dom.js";
import * as keys from "./keys.js";
import * as live from "./live.js";
import { keyOf, morph } from "./morph.js";
import * as regions from "./regions.js";

const MOST = 120; // items in the page
const NEAR_PX = 120; // as good as at the end

/** @type {HTMLElement | null} */
let timeline = null;
let hasEarlier = false; // somebody has asked for more than the newest part
let anew = false;

export function begin() {
  timeline = document.getElementById("timeline");
  if (timeline === null) return;
  const ref = timeline.dataset.ref ?? "";
  regions.changed("timeline", take);
  regions.after(settled);
  live.on("event", (told) => told.ref === ref && regions.refresh());
  live.on("reset", regions.refresh);
  document.addEventListener("click", clicked);
  walk();
  aside();
  if (!location.hash && !location.search.includes("before=")) toEnd();
}

/** The way to the answer is shown while the answer is out of sight. */
function aside() {
  const way = document.querySelector(".to-composer");
  const there = document.getElementById("composer");
  if (!way || !there) return;
  new IntersectionObserver(([seen]) => way.toggleAttribute("data-own-away", seen.isIntersecting)).observe(there);
}

/** The element that scrolls: the pane where there is room for panes, else the page. @returns {Element} */
function scroller() {
  const pane = /** @type {HTMLElement} */ (document.getElementById("talk"));
  return getComputedStyle(pane).overflowY === "visible" ? /** @type {Element} */ (document.scrollingElement) : pane;
}

/** A pane begins at its end by itself; a page is brought there, to where the newest message begins. */
function toEnd() {
  const newest = last();
  if (scroller() === document.scrollingElement && newest && newest.getBoundingClientRect().bottom > innerHeight) {
    newest.scrollIntoView({ block: "start" });
  }
}

/** The newest message. @returns {Element | null | undefined} */
function last() {
  return timeline && [...timeline.querySelectorAll(":scope > [data-message]")].at(-1);
}

function isAtEnd() {
  const end = last()?.getBoundingClientRect();
  return !end || end.bottom < innerHeight + NEAR_PX;
}

/** Whether the newest part is in the page. */
function hasNewest() {
  return timeline?.dataset.newest === "yes";
}

/** Take in the newest part as it is now. @param {Element} old @param {Element} fresh */
function take(old, fresh) {
  if (!hasNewest()) {
    tellNewer();
    return;
  }
  const wasAtEnd = isAtEnd();
  const before = new Set([...old.children].map(keyOf));
  if (!hasEarlier || (wasAtEnd && old.children.length > MOST)) anew = true;
  else stay(old, fresh);
  morph(old, fresh);
  separate();
  const come = [...old.children].filter((each) => !before.has(keyOf(each)));
  say(come, wasAtEnd);
}

/** Whether an item of this key is shown. @param {string} key */
export function holds(key) {
  return [...(timeline?.children ?? [])].some((each) => keyOf(each) === key);
}

/** The day of the newest item, "" without any. */
export function lastDay() {
  return /** @type {HTMLElement | null | undefined} */ (timeline?.lastElementChild)?.dataset.day ?? "";
}

/** Take in a message that no page has brought; false where the newest part is not in the page. @param {Element} item */
export function arrive(item) {
  if (timeline === null || !hasNewest()) {
    tellNewer();
    return false;
  }
  const wasAtEnd = isAtEnd();
  timeline.querySelector(":scope > .empty")?.remove();
  timeline.append(item);
  show([item], wasAtEnd);
  return true;
}

/** Let earlier parts that are being read stay. @param {Element} old @param {Element} fresh */
function stay(old, fresh) {
  const first = [...old.children].findIndex((each) => keyOf(each) === keyOf(fresh.children[0]));
  if (first > 0) fresh.prepend(...[...old.children].slice(0, first).map((each) => each.cloneNode(true)));
}

/** What is earlier is asked for anew, now that only the newest part is here. @param {Document} fresh */
function settled(fresh) {
  if (anew) follow(fresh);
  if (anew) hasEarlier = false;
  anew = false;
}

/** @param {Element[]} come @param {boolean} wasAtEnd */
function say(come, wasAtEnd) {
  const messages = come.filter((each) => each.matches("[data-message]"));
  announce("new message", messages.filter((each) => each.matches('[data-message="in"]')).length);
  if (messages.length) show(messages, wasAtEnd);
}

/** Bring what has come to who reads the end, and tell of it who reads elsewhere. @param {Element[]} messages @param {boolean} wasAtEnd */
function show(messages, wasAtEnd) {
  if (wasAtEnd) messages[0].scrollIntoView({ block: "nearest" });
  else pill(messages.length, messages[0]);
}

/** @param {number} count @param {Element} first */
function pill(count, first) {
  const text = count === 1 ? "1 new message" : `${count} new messages`;
  const go = () => {
    first.scrollIntoView({ block: "start" });
    place()?.replaceChildren();
  };
  place()?.replaceChildren(el("button", { class: "button small", type: "button", click: go }, icon("down"), text));
}

function tellNewer() {
  place()?.replaceChildren(el("a", { class: "button small", href: location.pathname }, icon("down"), "Go to the newest messages"));
}

function place() {
  return document.getElementById("newer");
}

/** A day stands above its first item only. */
function separate() {
  for (const each of timeline?.children ?? []) {
    const day = each.querySelector(":scope > .day");
    const previous = /** @type {HTMLElement | null} */ (each.previousElementSibling);
    day?.toggleAttribute("hidden", previous?.dataset.day === /** @type {HTMLElement} */ (each).dataset.day);
  }
}

/** @param {MouseEvent} event */
function clicked(event) {
  const link = /** @type {HTMLElement} */ (event.target).closest("a[data-part]");
  if (!(link instanceof HTMLAnchorElement) || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  part(link);
}

/** Fetch an earlier part into the page. @param {HTMLAnchorElement} link */
async function part(link) {
  link.setAttribute("aria-busy", "true");
  const page = await regions.load(link.href);
  const found = page?.getElementById("timeline");
  link.removeAttribute("aria-busy");
  if (!page || !found || !timeline) {
    if (navigator.onLine) location.assign(link.href);
    return;
  }
  hasEarlier = true;
  add(timeline, [...found.children]);
  follow(page);
  separate();
}

/** @param {HTMLElement} list @param {Element[]} items */
function add(list, items) {
  const known = new Set([...list.children].map(keyOf));
  const made = items.filter((each) => !known.has(keyOf(each))).map((each) => document.importNode(each, true));
  const mark = list.firstElementChild;
  const was = mark?.getBoundingClientRect().top ?? 0;
  list.prepend(...made);
  forget(list);
  scroller().scrollBy(0, (mark?.getBoundingClientRect().top ?? was) - was);
  const focus = made.filter((each) => each.matches("[data-message]")).at(-1);
  /** @type {HTMLElement | undefined} */ (focus)?.focus({ preventScroll: true });
}

/** Let go of what is farthest away; the newest part is one link away then. @param {HTMLElement} list */
function forget(list) {
  while (list.children.length > MOST && !list.lastElementChild?.contains(document.activeElement)) {
    list.lastElementChild?.remove();
    list.dataset.newest = "no";
  }
  if (hasNewest()) return;
  const link = el("a", { class: "button small", href: location.pathname }, icon("down"), "Newest messages");
  document.getElementById("later")?.replaceChildren(link);
}

/** Take over the way on from the page that was fetched. @param {Document} page */
function follow(page) {
  const found = page.getElementById("earlier");
  const place = document.getElementById("earlier");
  if (place && found) place.replaceChildren(...[...found.childNodes].map((each) => document.importNode(each, true)));
}

/** The tickets before and after this one in the list it was found in. */
function walk() {
  const found = JSON.parse(sessionStorage.getItem("desk:list") ?? "null");
  const at = found?.refs.indexOf(timeline?.dataset.ref) ?? -1;
  const go = (/** @type {string | undefined} */ ref) => ref && location.assign(`/tickets/${ref}`);
  if (at >= 0) {
    keys.add("ticket.next", { label: "Next ticket", keys: "j", run: () => go(found.refs[at + 1]) });
    keys.add("ticket.previous", { label: "Previous ticket", keys: "k", run: () => go(found.refs[at - 1]) });
  }
  const back = /** @type {HTMLAnchorElement | null} */ (document.querySelector('[data-command="ticket.back"]'));
  if (back && found?.url) back.href = found.url;
}
