// @ts-check
// What else one is writing on the same ticket, in another tab or browser: shown beside, never written over.
import * as ask from "./ask.js";
import { el } from "./dom.js";
import { forget } from "./draft_local.js";

/** @param {HTMLFormElement} form @param {any[]} others */
export function show(form, others) {
  form.querySelector("[data-forks]")?.replaceChildren(...others.map((each) => other(form, each)));
}

/** @param {HTMLFormElement} form @param {any} found */
function other(form, found) {
  const box = el("div", { class: "fork", role: "group", "aria-label": "Another text of yours" });
  const use = el("button", { type: "button", class: "button small", click: () => below(form, found, box) }, "Put it below my text");
  const away = el("button", { type: "button", class: "button small", click: () => drop(form, found, box) }, "Throw it away");
  box.append(el("p", {}, `You are writing something else here, saved ${clock(found.at)}:`), el("div", { class: "as-written", dir: "auto" }, found.text), el("p", {}, use, " ", away));
  return box;
}

/** @param {HTMLFormElement} form */
function field(form) {
  return /** @type {HTMLTextAreaElement} */ (form.elements.namedItem("text"));
}

/** @param {HTMLFormElement} form @param {any} found @param {HTMLElement} box */
function below(form, found, box) {
  const text = field(form);
  text.value = [text.value.trimEnd(), found.text].filter(Boolean).join("\n\n");
  text.dispatchEvent(new Event("input", { bubbles: true }));
  text.focus();
  box.remove();
}

/** @param {HTMLFormElement} form @param {any} found @param {HTMLElement} box */
async function drop(form, found, box) {
  const answer = await ask.post(`/drafts/${found.fork}/discard`, {});
  if (!answer.ok) return void box.append(el("p", { role: "alert" }, answer.text));
  forget(found.fork);
  box.remove();
  field(form).focus();
}

/** @param {string} at */
function clock(at) {
  return new Date(at).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
}

/** @param {string} at */
export function savedAt(at) {
  return `Saved ${clock(at)}`;
}
