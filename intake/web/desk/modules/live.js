// @ts-check
// One stream for all tabs of a browser: the tab that holds the lock listens and tells the others. A browser keeps few
// connections to one host, and every tab of the desk would hold one for good. Retries never end.
import * as clock from "./clock.js";
import { meta } from "./dom.js";

const FIRST_MS = 1_000;
const MOST_MS = 60_000;
const QUIET_MS = 40_000; // two beats of the daemon that did not come: the line is dead, whatever the system says

/** @typedef {{id: string, kind: string, ref: string | null, actor: string, at: string}} Happened */
/** @type {Map<string, Set<(told: any) => void>>} */
const listeners = new Map();
const channel = "BroadcastChannel" in window ? new BroadcastChannel("desk") : null;
/** @type {EventSource | null} */
let stream = null;
let after = "";
let wait_ms = FIRST_MS;
let timer = 0;
let heard_ms = 0;
let state = "";
let version = "";
let name = ""; // of the stream, as the daemon calls it

/**
 * Hear of what happens. "hello": a stream has begun; "event": a Happened; "told": {topic, …}; "reset": load anew; "state": "live" or "away";
 * "upgraded": the daemon has other modules than this page.
 * @param {string} type @param {(told: any) => void} heard @returns {() => void} to hear no more
 */
export function on(type, heard) {
  const found = listeners.get(type) ?? new Set();
  listeners.set(type, found.add(heard));
  return () => found.delete(heard);
}

/** @param {string} type @param {any} told */
function tell(type, told) {
  if (type === "event" || type === "reset") after = told.id;
  if (type === "hello") hello(told);
  if (type === "state") state = told;
  for (const each of listeners.get(type) ?? []) each(told);
}

/** Tell this tab and the others. @param {string} type @param {any} told */
function share(type, told) {
  tell(type, told);
  channel?.postMessage({ type, told });
}

/** The daemon's name of the stream that is listened to, "" = none yet. */
export function streamName() {
  return name;
}

/** @param {{now: string, version: string, stream: string}} told */
function hello(told) {
  name = told.stream;
  clock.set(told.now);
  if (version && told.version !== version) tell("upgraded", told);
  version ||= told.version;
}

function listen() {
  clearTimeout(timer);
  stream?.close();
  stream = new EventSource(`/live?after=${encodeURIComponent(after)}`);
  stream.addEventListener("hello", (item) => {
    wait_ms = FIRST_MS;
    share("hello", JSON.parse(item.data));
    share("state", "live");
  });
  for (const type of ["event", "told", "reset"]) {
    stream.addEventListener(type, (item) => share(type, JSON.parse(item.data)));
  }
  for (const type of ["hello", "event", "told", "reset", "beat"]) {
    stream.addEventListener(type, () => (heard_ms = Date.now()));
  }
  stream.addEventListener("error", lost);
  heard_ms = Date.now();
}

function lost() {
  stream?.close();
  stream = null;
  if (state !== "away") share("state", "away");
  clearTimeout(timer);
  timer = setTimeout(listen, wait_ms * (0.5 + Math.random()));
  wait_ms = Math.min(wait_ms * 2, MOST_MS);
}

/** Try at once: the net is back, or somebody looks again. */
function again() {
  const isDead = stream !== null && Date.now() - heard_ms > QUIET_MS;
  if (document.hidden || (stream !== null && !isDead) || !leading) return;
  wait_ms = FIRST_MS;
  listen();
}

let leading = false;

/** Listen for as long as this tab lives. */
function lead() {
  leading = true;
  listen();
  setInterval(() => stream !== null && Date.now() - heard_ms > QUIET_MS && lost(), QUIET_MS / 4);
  return new Promise(() => {});
}

export function begin() {
  after = meta("desk-after");
  channel?.addEventListener("message", (item) => follow(item.data));
  window.addEventListener("online", again);
  window.addEventListener("offline", () => leading && lost());
  document.addEventListener("visibilitychange", again);
  if (navigator.locks && channel) navigator.locks.request("desk-live", lead);
  else lead();
  channel?.postMessage({ type: "joined", told: {} });
}

/** Hear what another tab tells. @param {{type: string, told: any}} item */
function follow({ type, told }) {
  if (type === "joined") {
    if (leading && state) channel?.postMessage({ type: "leads", told: { state, after, name } });
  } else if (type === "leads") {
    if (state === "") joined(told);
  } else tell(type, told);
}

/** What was told while this page was on its way here is made up for. @param {{state: string, after: string, name: string}} led */
function joined(led) {
  name = led.name;
  tell("state", led.state);
  if (after && BigInt(led.after || 0) > BigInt(after)) tell("reset", { id: led.after });
}
