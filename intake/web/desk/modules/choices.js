// @ts-check
// What an agent has chosen for themselves: other keys, no keys of one character, no announcements. The daemon keeps it with
// their account; a copy stands in this browser, so that each page has it at once, and what could not be sent waits there.
import * as ask from "./ask.js";
import { meta } from "./dom.js";
import { keep, kept } from "./kept.js";
import * as live from "./live.js";

const KIND = "choices_changed"; // choices.CHANGED
const OFTEN_MS = 60_000; // a page after the other need not ask each time: what changes meanwhile is told

/** @typedef {{single: boolean, announce: boolean, changed: Record<string, string>}} Choices changed: command -> keys, "" = none */
/** @typedef {{single?: boolean, announce?: boolean, command?: string, keys?: string}} Choice a command without keys has its own again */
const who = meta("desk-who");
/** @type {Choices} */
let known = kept(`choices:${who}`, { single: true, announce: true, changed: {} });
/** @type {Choice[]} */
let unsent = kept(`unsent:${who}`, []);
/** @type {Promise<void> | null} */
let sending = null;
/** @type {() => void} */
let tell = () => {};

/** What holds now. */
export function chosen() {
  return known;
}

/** Choose something: it holds at once here, and soon everywhere. @param {Choice} choice */
export function choose(choice) {
  unsent = [...unsent, choice];
  keep(`unsent:${who}`, unsent);
  hold(after(known, choice));
  void send();
}

/** @param {Choices} before @param {Choice} choice @returns {Choices} */
function after(before, { command, keys, ...turned }) {
  const { [command ?? ""]: _, ...others } = before.changed;
  const changed = command !== undefined && keys !== undefined ? { ...others, [command]: keys } : others;
  return { ...before, ...turned, changed };
}

/** @param {Choices} choices */
function hold(choices) {
  known = choices;
  keep(`choices:${who}`, known);
  tell();
}

/** Send what waits, once at a time. */
function send() {
  sending ??= sendAll().finally(() => (sending = null));
  return sending;
}

/** One after the other: what is refused is dropped, and what nobody answered waits on. */
async function sendAll() {
  while (unsent.length > 0) {
    const answer = await ask.post("/choices", unsent[0]);
    if (!answer.ok && answer.status !== 422) return;
    unsent = unsent.slice(1);
    keep(`unsent:${who}`, unsent);
    if (unsent.length === 0 && answer.ok) hold(answer.told);
  }
}

async function read() {
  await send();
  if (unsent.length > 0) return;
  const answer = await ask.get("/choices");
  if (!answer.ok || unsent.length > 0) return;
  keep(`choices-read:${who}`, Date.now());
  hold(answer.told);
}

/** Keep it up. @param {() => void} changed called when something else holds */
export function begin(changed) {
  if (!who) return;
  tell = changed;
  live.on("event", (told) => told.kind === KIND && told.actor === `agent:${who}` && void read());
  live.on("reset", () => void read());
  live.on("state", (state) => state === "live" && unsent.length > 0 && void send());
  const age_ms = Date.now() - kept(`choices-read:${who}`, 0);
  if (unsent.length > 0 || age_ms > OFTEN_MS || age_ms < 0) void read();
}
