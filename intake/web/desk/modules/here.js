// @ts-check
// Who else looks at a ticket, and who writes. A page says it once, when it changes: it holds for as long as the stream of
// this browser is open. A list shows it in its rows, a ticket below its composer.
import * as ask from "./ask.js";
import { meta } from "./dom.js";
import * as live from "./live.js";

const AGAIN_MS = 20_000; // without a stream it is over after thirty seconds
const PATIENCE_MS = 1_500; // for the stream to tell its name
const TYPING_MS = 4_000; // a chat's visitor is shown it for a few seconds each time
const WRITING_MS = 8_000; // after the last key
const WORDS = /** @type {Record<string, string>} */ ({ looking: "looks at this ticket", replying: "is writing an answer", noting: "is writing a note" });
const SHORT = /** @type {Record<string, string>} */ ({ looking: "looks", replying: "answers", noting: "writes a note" });
const page = String(crypto.getRandomValues(new BigUint64Array(1))[0]);

/** @type {Map<string, string>} who else is here, and what they do */
const others = new Map();
/** @type {Set<Map<string, string>>} what was told while an answer was on its way, which may know nothing of it yet */
const meanwhile = new Set();
let ref = "";
let isChat = false;
let doing = "";
let writing = "";
let writing_ms = 0;
let timer = 0;
let said_ms = 0;
let said = ""; // what was said last, and on which stream

export function begin() {
  const place = document.getElementById("write");
  if (place === null) return;
  ref = place.dataset.ref ?? "";
  isChat = place.hasAttribute("data-chat");
  place.addEventListener("input", typed);
  live.on("told", heard);
  live.on("hello", look);
  document.addEventListener("visibilitychange", look);
  window.addEventListener("pagehide", () => void say("gone", true));
  setTimeout(look, live.streamName() ? 0 : PATIENCE_MS);
}

/** @param {Event} event */
function typed(event) {
  const form = /** @type {HTMLElement} */ (event.target).closest("form[data-kind]");
  writing = form?.getAttribute("data-kind") === "note" ? "noting" : "replying";
  writing_ms = Date.now();
  if (doing !== writing || (isChat && Date.now() - said_ms > TYPING_MS)) void say(writing);
  clearTimeout(timer);
  timer = setTimeout(look, WRITING_MS);
}

/** Say what is done here now, where that is news to the daemon; without a stream again before it is over. */
function look() {
  clearTimeout(timer);
  const isWriting = Date.now() - writing_ms < WRITING_MS;
  const word = document.hidden ? "gone" : isWriting ? writing : "looking";
  if (word + live.streamName() !== said) void say(word);
  if (isWriting) timer = setTimeout(look, WRITING_MS);
  else if (!live.streamName() && !document.hidden) timer = setTimeout(again, AGAIN_MS);
}

function again() {
  said = "";
  look();
}

/** @param {string} word @param {boolean} [isLeaving] */
async function say(word, isLeaving = false) {
  doing = word;
  said_ms = Date.now();
  const stream = live.streamName();
  said = word + stream;
  const told = new Map();
  meanwhile.add(told);
  const answer = await ask.post(`/tickets/${ref}/here`, { doing: word, page, stream }, { isLeaving });
  meanwhile.delete(told);
  if (!answer.ok || !answer.told.here) {
    if (!isLeaving) said = "";
    return;
  }
  others.clear();
  for (const each of answer.told.here) others.set(each.agent, each.doing);
  for (const [agent, each] of told) change(agent, each);
  show();
}

/** @param {string} agent @param {string} word */
function change(agent, word) {
  if (word === "gone") others.delete(agent);
  else others.set(agent, word);
}

/** @param {any} told */
function heard(told) {
  if (told.ref !== ref) return;
  // A chat's visitor sees that their line was read, by who looks on when it comes.
  if (told.what === "chat_line" && told.author === "customer" && !document.hidden) return void say(doing || "looking");
  if (told.what !== "here" || told.agent === meta("desk-who")) return;
  for (const each of meanwhile) each.set(told.agent, told.doing);
  change(told.agent, told.doing);
  show();
}

function show() {
  const place = document.getElementById("here");
  if (place === null) return;
  const text = [...others].map(([agent, each]) => `${agent} ${WORDS[each] ?? ""}.`).join(" ");
  if (place.textContent !== text) place.textContent = text;
  place.classList.toggle("writing", [...others.values()].some((each) => each !== "looking"));
}

/** Show in a list's rows who has each ticket before them. */
export function beginList() {
  live.on("told", (told) => told.what === "here" && told.agent !== meta("desk-who") && inRow(told));
}

/** @param {{ref: string, agent: string, doing: string}} told */
function inRow(told) {
  const place = document.querySelector(`[data-people="${CSS.escape(told.ref)}"]`);
  if (!place) return;
  const people = new Map([...place.children].map((each) => [each.getAttribute("data-agent") ?? "", each]));
  people.get(told.agent)?.remove();
  if (told.doing === "gone") return;
  const made = document.createElement("span");
  made.dataset.agent = made.dataset.key = told.agent;
  made.dataset.doing = told.doing;
  made.textContent = `${told.agent} ${SHORT[told.doing] ?? ""}`;
  place.append(made);
}
