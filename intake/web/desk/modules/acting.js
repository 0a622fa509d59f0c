// @ts-check
// What is written and done on a page: the forms of the row of actions are sent without leaving it.
import * as ask from "./ask.js";
import * as composer from "./composer.js";
import * as here from "./here.js";
import * as regions from "./regions.js";

composer.begin();
here.begin();
const ticket = document.getElementById("ticket-form");
if (ticket instanceof HTMLFormElement) composer.beginTicket(ticket);
document.addEventListener("submit", submitted);
document.addEventListener("toggle", opened, true);
document.addEventListener("keydown", escaped);
document.addEventListener("click", clickedBeside);
document.addEventListener("change", (event) => /** @type {HTMLElement} */ (event.target).closest(".acts select")?.setAttribute("data-touched", ""));

/** @param {SubmitEvent} event */
async function submitted(event) {
  const form = /** @type {HTMLFormElement} */ (event.target);
  if (!form.closest(".acts") || !form.dataset.act) return;
  event.preventDefault();
  const problem = wanting(form);
  if (problem) return say(problem, true);
  const answer = await ask.post(form.action, new FormData(form, event.submitter));
  if (!answer.ok) return say(answer.text, true);
  const told = answer.told;
  if (told.to && !told.to.endsWith(location.pathname)) return location.assign(told.to);
  close(form);
  say([told.said, told.not_told && `The customer is not told: ${told.not_told}.`, ...(told.warnings ?? [])].filter(Boolean).join(" "), false);
  regions.refresh();
}

/** What a status wants said with it. @param {HTMLFormElement} form */
function wanting(form) {
  const after = /** @type {HTMLSelectElement | null} */ (form.elements.namedItem("status"))?.value;
  const outcome = /** @type {HTMLSelectElement | null} */ (form.elements.namedItem("outcome"));
  if ((after !== "solved" && after !== "closed") || !outcome || outcome.value) return "";
  outcome.focus();
  return "Say how it came out: it is asked once, when a ticket is solved.";
}

/** @param {string} text @param {boolean} isRefused */
function say(text, isRefused) {
  const place = document.getElementById("act-said");
  if (place === null) return;
  place.textContent = text;
  place.hidden = !text;
  place.classList.toggle("refused", isRefused);
}

/** @param {HTMLFormElement} form */
function close(form) {
  const menu = form.closest("details.menu");
  menu?.removeAttribute("open");
  for (const each of form.querySelectorAll("[data-touched]")) each.removeAttribute("data-touched");
  if (menu?.contains(document.activeElement)) /** @type {HTMLElement | null} */ (menu.querySelector("summary"))?.focus();
}

/** @param {Event} event */
function opened(event) {
  const menu = event.target;
  if (!(menu instanceof HTMLDetailsElement) || !menu.matches(".menu") || !menu.open) return;
  const pop = menu.querySelector(".pop");
  pop?.classList.remove("flipped");
  pop?.classList.toggle("flipped", pop.getBoundingClientRect().right > innerWidth);
  /** @type {HTMLElement | null} */ (menu.querySelector("[data-first]"))?.focus();
}

/** @param {KeyboardEvent} event */
function escaped(event) {
  if (event.key !== "Escape") return;
  const menu = /** @type {HTMLElement} */ (event.target).closest("details.menu[open]");
  if (menu === null) return;
  menu.removeAttribute("open");
  /** @type {HTMLElement | null} */ (menu.querySelector("summary"))?.focus();
}

/** @param {MouseEvent} event */
function clickedBeside(event) {
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(/** @type {Node} */ (event.target))) menu.removeAttribute("open");
  }
}
