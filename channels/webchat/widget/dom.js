// @ts-check
/** Elements made by calls alone: what somebody wrote only ever becomes text. */

const PATHS = {
  close: "M6 6l12 12M18 6L6 18",
  more: "M5 12h.01M12 12h.01M19 12h.01",
  send: "M4 12h15M13 6l6 6-6 6",
  attach: "M20 11l-8.5 8.5a5 5 0 0 1-7-7L13 4a3.3 3.3 0 0 1 4.7 4.7l-8.5 8.4a1.6 1.6 0 0 1-2.3-2.3l7.8-7.8",
  file: "M7 3h7l4 4v14H7a1 1 0 0 1-1-1V4a1 1 0 0 1 1-1zM14 3v5h5",
};
const SVG = "http://www.w3.org/2000/svg";

/**
 * Make an element. Values that are functions are listeners ("onclick"), true and false set or leave out an attribute.
 * @param {string} tag
 * @param {Record<string, any>} [attributes]
 * @param {...(Node | string | null | false | undefined)} children
 * @returns {any}
 */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name.slice(2), value);
    else if (value !== false && value != null) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((each) => each != null && each !== false && each !== ""));
  return element;
}

export function icon(/** @type {keyof typeof PATHS} */ name) {
  const drawing = document.createElementNS(SVG, "svg");
  const path = document.createElementNS(SVG, "path");
  const looks = { fill: "none", stroke: "currentColor", "stroke-width": name === "more" ? 3 : 2,
    "stroke-linecap": "round", "stroke-linejoin": "round", d: PATHS[name] };
  for (const [key, value] of Object.entries(looks)) path.setAttribute(key, String(value));
  drawing.setAttribute("viewBox", "0 0 24 24");
  drawing.setAttribute("aria-hidden", "true");
  drawing.append(path);
  return drawing;
}

/** Return a button. look: "main", "plain", "bare". */
export function button(/** @type {string} */ text, /** @type {() => void} */ onclick, look = "plain") {
  return make("button", { type: "button", class: look, onclick }, text);
}

/** Return a button that is drawn by an icon and named by its text. */
export function iconButton(/** @type {any} */ drawn, /** @type {string} */ text, /** @type {() => void} */ onclick) {
  return make("button", { type: "button", class: "bare", "aria-label": text, title: text, onclick }, icon(drawn));
}
