// @ts-check
// Elements are made by calls, never from text: under Trusted Types no string becomes markup.

/**
 * Make an element.
 * @param {string} tag
 * @param {Record<string, string | boolean | ((event: any) => void)>} [attributes] a function listens; false and "" leave it out
 * @param {...(Node | string)} children
 */
export function el(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") made.addEventListener(name, value);
    else if (value !== false && value !== "") made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children);
  return made;
}

/** @param {string} name @param {string} [label] */
export function icon(name, label = "") {
  const space = "http://www.w3.org/2000/svg";
  const made = document.createElementNS(space, "svg");
  made.setAttribute("class", "icon");
  made.setAttribute("viewBox", "0 0 20 20");
  made.setAttribute(label ? "aria-label" : "aria-hidden", label || "true");
  if (label) made.setAttribute("role", "img");
  const use = document.createElementNS(space, "use");
  use.setAttribute("href", `#i-${name}`);
  made.append(use);
  return made;
}

/** @param {string} name */
export function meta(name) {
  return /** @type {HTMLMetaElement | null} */ (document.querySelector(`meta[name="${name}"]`))?.content ?? "";
}

/** Whether keys that are pressed now are text. @param {EventTarget | null} target */
export function isWriting(target) {
  if (!(target instanceof HTMLElement)) return false;
  if (target.isContentEditable || target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement) return true;
  return target instanceof HTMLInputElement && !["checkbox", "radio", "button", "submit"].includes(target.type);
}
