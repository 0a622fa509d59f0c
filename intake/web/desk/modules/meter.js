// @ts-check
// What a text will be while it is written: segments and cost, the character that makes it dear, what is in its way. The desk
// counts; this asks it at each pause.
import * as ask from "./ask.js";
import { el } from "./dom.js";

const PAUSE_MS = 400;

/** @param {HTMLFormElement} form @param {string} ref */
export function begin(form, ref) {
  const field = /** @type {HTMLTextAreaElement} */ (form.elements.namedItem("text"));
  const place = form.querySelector("[data-meter]");
  if (!(place instanceof HTMLElement)) return;
  let timer = 0;
  let asked = 0;
  const look = async () => {
    const number = (asked += 1);
    const kept = [...form.querySelectorAll("[data-kept]")].map((each) => /** @type {HTMLElement} */ (each).dataset.kept);
    const fork = /** @type {HTMLInputElement} */ (form.elements.namedItem("fork")).value;
    const answer = await ask.post(`/tickets/${ref}/compose`, { text: field.value, fork, kept });
    if (answer.ok && number === asked) show(form, place, field, answer.told);
  };
  const soon = () => {
    clearTimeout(timer);
    timer = setTimeout(look, PAUSE_MS);
  };
  field.addEventListener("input", soon);
  field.addEventListener("desk:written", () => field.value && soon());
  field.addEventListener("desk:asked", soon);
  form.addEventListener("desk:files", soon);
  form.querySelector("[data-template]")?.addEventListener("change", () => template(form));
  form.querySelector("[data-values]")?.addEventListener("input", () => template(form));
}

/** @param {HTMLFormElement} form @param {HTMLElement} place @param {HTMLTextAreaElement} field @param {any} told */
function show(form, place, field, { composed, gaps }) {
  place.replaceChildren(...pieces(field, composed, gaps));
  place.dataset.look = composed.is_too_long ? "over" : composed.is_long ? "long" : "";
  warned(form, composed);
  against(form, composed);
}

/** @param {HTMLFormElement} form @param {any} composed */
function warned(form, composed) {
  const box = form.querySelector("[data-warning]");
  if (!(box instanceof HTMLElement)) return;
  box.textContent = composed.warning ? sentence(composed.warning) : "";
  box.hidden = !composed.warning;
}

/** @param {HTMLTextAreaElement} field @param {any} composed @param {string[]} gaps */
function pieces(field, composed, gaps) {
  const said = [];
  if (composed.segments !== null && composed.segments !== undefined && composed.text) {
    const many = composed.segments === 1 ? "1 segment" : `${composed.segments} segments`;
    said.push(`${composed.characters} characters, ${many}, ${composed.left} left${composed.cost ? `, ${composed.cost}` : ""}. `);
  }
  const [first] = composed.forcing ?? [];
  if (first) said.push(`“${first.character}” makes it ${composed.encoding}, which holds less. `);
  if (composed.plainer) said.push(el("button", { type: "button", class: "button small", click: () => plainer(field, composed) }, "Write it plainly"), " ");
  for (const each of composed.smaller ?? []) said.push(`${each.name} goes out smaller. `);
  for (const each of gaps ?? []) said.push(`[[${each}]] is empty: fill it in. `);
  return said;
}

/** Put the cheap characters where the dear ones are. @param {HTMLTextAreaElement} field @param {any} composed */
function plainer(field, composed) {
  for (const each of composed.forcing) if (each.instead !== null && each.instead !== undefined) field.value = field.value.replaceAll(each.character, each.instead);
  field.dispatchEvent(new Event("input", { bubbles: true }));
  field.focus();
}

/** @param {HTMLFormElement} form @param {any} composed */
function against(form, composed) {
  const box = form.querySelector("[data-against]");
  const isWritten = composed.reason && composed.reason !== "nothing is written yet";
  const hasTemplate = Boolean(/** @type {HTMLSelectElement | null} */ (form.querySelector("[data-template]"))?.value);
  if (box instanceof HTMLElement) {
    box.hidden = !isWritten;
    const text = box.querySelector("span");
    if (text) text.textContent = isWritten ? `${sentence(composed.reason)}` : "";
  }
  const button = /** @type {HTMLButtonElement | null} */ (form.querySelector("[data-send]"));
  if (button) button.disabled = Boolean(isWritten) && !hasTemplate;
}

/** Show a template as the customer will read it. @param {HTMLFormElement} form */
function template(form) {
  const chosen = /** @type {HTMLSelectElement} */ (form.querySelector("[data-template]")).selectedOptions[0];
  const [values, preview] = [form.querySelector("[data-values]"), form.querySelector("[data-preview]")];
  if (!values || !preview) return;
  const names = (chosen.dataset.variables ?? "").split("\n").filter(Boolean);
  const fields = /** @type {HTMLInputElement[]} */ ([...values.querySelectorAll("input")]);
  if (values.getAttribute("data-of") !== chosen.value) {
    values.setAttribute("data-of", chosen.value);
    values.replaceChildren(...names.map((name) => el("label", { class: "field" }, el("span", {}, name), el("input", { name: "value", type: "text", maxlength: "500" }))));
    fields.length = 0;
  }
  const given = fields.map((each) => each.value);
  preview.textContent = (chosen.dataset.text ?? "").replace(/\{\{(\d+)\}\}/g, (whole, number) => given[Number(number) - 1] || whole);
  const button = /** @type {HTMLButtonElement | null} */ (form.querySelector("[data-send]"));
  if (button && chosen.value) button.disabled = false;
}

/** @param {string} text */
function sentence(text) {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.?!]$/.test(text) ? "" : "."}`;
}
