// @ts-check
// The list of tickets: moved through by keys, and never re-sorted under a pointer or a focus: what has come waits in a bar.
import { announce } from "./announce.js";
import { el } from "./dom.js";
import * as here from "./here.js";
import * as keys from "./keys.js";
import * as live from "./live.js";
import { keyOf, morph } from "./morph.js";
import * as regions from "./regions.js";

const COUNTED_MS = 6_000;
const TOUCHED_MS = 5_000; // a finger was just there
/** @type {Element | null} */
let pending = null;
let touched_ms = 0;
let counted = 0;

export function begin() {
  const rows = document.getElementById("rows");
  if (!rows) return;
  regions.changed("rows", change);
  rows.addEventListener("pointerdown", () => (touched_ms = Date.now()));
  rows.addEventListener("focusin", (event) => rove(/** @type {HTMLElement} */ (event.target)));
  rows.addEventListener("click", remember);
  live.on("event", (told) => told.ref && happened());
  live.on("reset", happened);
  here.beginList();
  keys.add("list.next", { label: "Next ticket", keys: "j", run: () => step(1) });
  keys.add("list.previous", { label: "Previous ticket", keys: "k", run: () => step(-1) });
  keys.add("list.open", { label: "Open the ticket", keys: "o", run: () => current()?.click() });
  keys.add("list.show", { label: "Show what is new", keys: ".", run: show });
  rows.addEventListener("keydown", arrows);
  document.querySelector("#views [aria-current]")?.scrollIntoView({ block: "nearest", inline: "nearest" });
  settle();
  comeBack();
}

/** Show the row that a ticket was opened from, as the browser's own way back does. */
function comeBack() {
  const [arrived] = /** @type {PerformanceNavigationTiming[]} */ (performance.getEntriesByType("navigation"));
  const isFromTicket = document.referrer.startsWith(`${location.origin}/tickets/`);
  const at = current();
  if (arrived?.type !== "navigate" || !isFromTicket || at?.dataset.ref !== sessionStorage.getItem("desk:row")) return;
  at?.closest(".row")?.scrollIntoView({ block: "center" });
}

/** Show it, and once more when the counts of the daemon, which it keeps for seconds, have caught up. */
function happened() {
  regions.refresh();
  clearTimeout(counted);
  counted = setTimeout(regions.refresh, COUNTED_MS);
}

/** @returns {HTMLElement[]} */
function links() {
  return [...document.querySelectorAll("#rows .row-link")].map((each) => /** @type {HTMLElement} */ (each));
}

function current() {
  return links().find((each) => each.tabIndex === 0);
}

/** One row is in the tab order: the last that had the focus, else the first. */
function settle() {
  const all = links();
  const last = sessionStorage.getItem("desk:row");
  const at = all.find((each) => each === document.activeElement) ?? all.find((each) => each.dataset.ref === last) ?? all[0];
  for (const each of all) each.tabIndex = each === at ? 0 : -1;
}

/** @param {HTMLElement} target */
function rove(target) {
  if (!target.matches(".row-link")) return;
  sessionStorage.setItem("desk:row", target.dataset.ref ?? "");
  for (const each of links()) each.tabIndex = each === target ? 0 : -1;
}

/** @param {number} by */
function step(by) {
  const all = links();
  const at = all.findIndex((each) => each === document.activeElement);
  const next = at < 0 ? current() : all[Math.min(Math.max(at + by, 0), all.length - 1)];
  next?.focus();
  next?.closest(".row")?.scrollIntoView({ block: "nearest" });
}

/** @param {KeyboardEvent} event */
function arrows(event) {
  const steps = { ArrowDown: 1, ArrowUp: -1 };
  const by = steps[/** @type {keyof typeof steps} */ (event.key)];
  if (!by || event.altKey || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  step(by);
}

/** Let the ticket's page know what comes before and after it, and where it was found. @param {Event} event */
function remember(event) {
  const link = /** @type {HTMLElement} */ (event.target).closest(".row-link");
  if (!link) return;
  sessionStorage.setItem("desk:list", JSON.stringify({ url: location.pathname + location.search, refs: links().map((each) => each.dataset.ref) }));
}

/** Whether somebody is at it: then nothing moves. @param {Element} rows */
function isHeld(rows) {
  if (rows.contains(document.activeElement) || Date.now() - touched_ms < TOUCHED_MS) return true;
  return matchMedia("(hover: hover)").matches && rows.matches(":hover");
}

/** @param {Element} old @param {Element} fresh */
function change(old, fresh) {
  const before = order(old);
  const now = order(fresh);
  const isSame = before.length === now.length && before.every((key, index) => key === now[index]);
  announce("new ticket", now.filter((key) => !before.includes(key)).length);
  if (isSame || !isHeld(old)) {
    take(old, fresh);
    return;
  }
  pending = fresh;
  inPlace(old, fresh);
  tell(before, now);
}

/** @param {Element} rows */
function order(rows) {
  return [...rows.children].map(keyOf).filter(Boolean);
}

/** Bring what stands there up to date, where it stands. @param {Element} old @param {Element} fresh */
function inPlace(old, fresh) {
  const found = new Map([...fresh.children].map((each) => [keyOf(each), each]));
  for (const each of [...old.children]) {
    const same = found.get(keyOf(each));
    each.toggleAttribute("data-own-gone", !same);
    if (same) morph(each, same);
  }
}

/** @param {string[]} before @param {string[]} now */
function tell(before, now) {
  const come = now.filter((key) => !before.includes(key)).length;
  const gone = before.filter((key) => !now.includes(key)).length;
  const said = [come ? `${come} new` : "", gone ? `${gone} gone` : ""].filter(Boolean).join(", ") || "New order";
  const bar = document.getElementById("newer");
  bar?.replaceChildren(el("button", { class: "button small", type: "button", click: show }, `${said}: show`));
}

function show() {
  const rows = document.getElementById("rows");
  if (!rows || !pending) return;
  const was = document.activeElement;
  take(rows, pending);
  if (was?.id !== "newer" && was !== document.body && !document.contains(was)) current()?.focus();
}

/** @param {Element} old @param {Element} fresh */
function take(old, fresh) {
  pending = null;
  for (const each of old.querySelectorAll("[data-own-gone]")) each.removeAttribute("data-own-gone");
  morph(old, fresh);
  const bar = document.getElementById("newer");
  if (bar?.contains(document.activeElement)) current()?.focus();
  bar?.replaceChildren();
  settle();
}
