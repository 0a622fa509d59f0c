// @ts-check
// Writing on a ticket: an answer and a note are sent without leaving the page, with what must be said first.
import * as ask from "./ask.js";
import * as canned from "./canned.js";
import * as chat from "./chat.js";
import { Draft } from "./drafts.js";
import { Files } from "./files.js";
import { Holding } from "./holding.js";
import * as meter from "./meter.js";
import { News } from "./news.js";
import * as regions from "./regions.js";

/** @typedef {{form: HTMLFormElement, news: News, holding: Holding, files: Files}} Reply */

/** @type {Reply | null} */
let reply = null;

export function begin() {
  const place = document.getElementById("write");
  if (place === null) return;
  for (const form of /** @type {NodeListOf<HTMLFormElement>} */ (place.querySelectorAll("form[data-kind]"))) open(form, place.dataset.ref ?? "");
  place.addEventListener("keydown", pressed);
  regions.after(follow);
  chat.seen((session, seq) => reply?.news.saw(session, seq));
}

/** @param {HTMLFormElement} form @param {string} ref */
function open(form, ref) {
  const draft = new Draft(form, ref);
  if (form.dataset.kind === "reply") {
    const told = (/** @type {string} */ text) => say(form, text);
    const news = new News(form);
    reply = { form, news, holding: new Holding(form, draft, news, told), files: new Files(form, draft, told) };
    meter.begin(form, ref);
    canned.begin(form, ref);
  }
  sends(form, draft);
  draft.begin().then(() => unfold(form));
}

/** A new ticket is a text under way like any other; sent twice it is made once. @param {HTMLFormElement} form */
export function beginTicket(form) {
  const draft = new Draft(form, "");
  new Files(form, draft, (text) => say(form, text));
  sends(form, draft);
  form.addEventListener("keydown", pressed);
  void draft.begin();
}

/** @param {HTMLFormElement} form @param {Draft} draft */
function sends(form, draft) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void send(form, draft);
  });
}

/** @param {HTMLFormElement} form */
function fieldOf(form) {
  return /** @type {HTMLTextAreaElement} */ (form.elements.namedItem("text"));
}

/** A text that was found is shown, whichever pane was open. @param {HTMLFormElement} form */
function unfold(form) {
  const hasAnswer = reply !== null && form !== reply.form && fieldOf(reply.form).value;
  if (fieldOf(form).value && !hasAnswer) form.closest("details")?.setAttribute("open", "");
}

/** Ctrl+Enter sends the form that is written in. @param {KeyboardEvent} event */
function pressed(event) {
  if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || event.isComposing) return;
  const form = /** @type {HTMLElement} */ (event.target).closest("form[data-kind]");
  if (!(form instanceof HTMLFormElement)) return;
  event.preventDefault();
  event.stopPropagation();
  form.requestSubmit(/** @type {HTMLButtonElement | null} */ (form.querySelector("[data-send]:not(:disabled)")) ?? undefined);
}

/** @param {HTMLFormElement} form @param {Draft} draft */
async function send(form, draft) {
  const problem = wanting(form);
  say(form, problem);
  const button = /** @type {HTMLButtonElement} */ (form.querySelector("[data-send]"));
  if (problem || form.dataset.busy) return;
  form.dataset.busy = "yes";
  button.setAttribute("aria-disabled", "true");
  await draft.ready; // else what is being looked for would come back after it was sent
  const filled = new FormData(form); // at once: what is typed from now on is another text
  const answer = await ask.post(form.action, filled, { isLong: true });
  delete form.dataset.busy;
  button.removeAttribute("aria-disabled");
  if (answer.ok) return sent(form, draft, answer.told, textOf(filled));
  if (answer.status === 409 && answer.told.newer) return reply?.news.stopped(answer.told);
  say(form, answer.status === 401 ? "You are signed out, and your text is kept. Sign in in another tab, then send it here." : answer.text);
  form.querySelector("textarea")?.focus();
}

/** What is missing before it can be sent. @param {HTMLFormElement} form */
function wanting(form) {
  const gap = canned.gapOf(fieldOf(form));
  if (gap) return `Fill in ${gap} first.`;
  const after = /** @type {HTMLSelectElement | null} */ (form.elements.namedItem("status"))?.value;
  const outcome = /** @type {HTMLSelectElement | null} */ (form.elements.namedItem("outcome"));
  if ((after === "solved" || after === "closed") && outcome && !outcome.value) {
    outcome.focus();
    return "Say how it came out: it is asked once, when a ticket is solved.";
  }
  return "";
}

/** The text as a form gives it: browsers write its line breaks in two characters. @param {FormData} filled */
function textOf(filled) {
  return String(filled.get("text") ?? "").replaceAll("\r\n", "\n");
}

/** @param {HTMLFormElement} form @param {Draft} draft @param {any} told @param {string} text */
async function sent(form, draft, told, text) {
  if (form === reply?.form) again(form);
  await draft.sent(text);
  say(form, "");
  if (told.to) return location.assign(told.to);
  if (form === reply?.form) {
    reply.files.sent();
    reply.news.answered(told.mark);
    if (told.held_until) reply.holding.begin(told.outbox, told.held_until);
  }
  regions.refresh();
  form.querySelector("textarea")?.focus();
}

/** All but the text is as it was at first: a status, a promise, a template were of that answer. @param {HTMLFormElement} form */
function again(form) {
  const now = fieldOf(form).value;
  form.reset();
  fieldOf(form).value = now;
  form.querySelector("[data-template]")?.dispatchEvent(new Event("change"));
}

/** @param {Document} fresh */
function follow(fresh) {
  if (reply === null) return;
  const before = reply.news.own.value;
  renew(reply.form, fresh);
  reply.news.follow(fresh, before);
}

/** What stands in the way of an answer may have changed: an opt-out, a window that closed. @param {HTMLFormElement} form @param {Document} fresh */
function renew(form, fresh) {
  for (const each of ["[data-to]", "[data-warning]", "[data-against]"]) {
    const [old, found] = [form.querySelector(each), fresh.querySelector(`#reply-form ${each}`)];
    if (!old || !found || old.textContent === found.textContent) continue;
    old.replaceWith(document.importNode(found, true));
    if (each === "[data-against]") fieldOf(form).dispatchEvent(new Event("desk:asked"));
  }
}

/** @param {HTMLFormElement} form @param {string} text */
function say(form, text) {
  const box = /** @type {HTMLElement | null} */ (form.querySelector("[data-said]"));
  if (box === null) return;
  box.textContent = text;
  box.hidden = !text;
}
