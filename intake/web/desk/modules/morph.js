// @ts-check
// Makes a part of the page what the daemon says it is now, element by element: what stays keeps its focus, its scroll
// position and what was typed into it. Children are told apart by id or data-key. Left alone are: what carries data-keep,
// what a module made (data-own), and whether something is open, selected or in the tab order.

const OWN = new Set(["open", "tabindex", "hidden", "aria-selected", "aria-expanded", "aria-keyshortcuts"]);

/** @param {Element} old @param {Element} fresh */
export function morph(old, fresh) {
  if (old.hasAttribute("data-keep")) return;
  attributes(old, fresh);
  if (isHeld(old)) return;
  children(old, fresh);
}

/** Whether somebody writes in it, or has. @param {Element} old */
function isHeld(old) {
  if (old instanceof HTMLTextAreaElement || old instanceof HTMLInputElement) return true;
  return old instanceof HTMLSelectElement && (old === document.activeElement || isChosen(old));
}

/** Whether it says something else than the page said. @param {HTMLSelectElement} old */
function isChosen(old) {
  return [...old.options].some((each) => each.selected !== each.defaultSelected) && old.hasAttribute("data-touched");
}

/** @param {Element} old @param {Element} fresh */
function attributes(old, fresh) {
  for (const { name, value } of fresh.attributes) {
    if (!isOwn(old, name) && old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
  for (const { name } of [...old.attributes]) {
    if (!isOwn(old, name) && !fresh.hasAttribute(name)) old.removeAttribute(name);
  }
}

/** Whether modules write the attribute, the daemon does not. @param {Element} old @param {string} name */
function isOwn(old, name) {
  if (name === "title") return old.hasAttribute("data-command"); // it tells the key
  return OWN.has(name) || name.startsWith("data-own");
}

/** @param {Node} node */
export function keyOf(node) {
  if (!(node instanceof Element)) return "";
  return node.getAttribute("data-key") ?? node.id;
}

/** @param {Node} node */
function isMade(node) {
  return node instanceof Element && node.hasAttribute("data-own");
}

/** @param {Element} old @param {Element} fresh */
function children(old, fresh) {
  const wanted = new Set([...fresh.children].map(keyOf).filter(Boolean));
  const known = new Map();
  for (const each of [...old.childNodes]) {
    const key = keyOf(each);
    if (isMade(each)) continue;
    if (key && !wanted.has(key)) each.remove();
    else if (key) known.set(key, each);
  }
  let next = past(old.firstChild);
  for (const each of fresh.childNodes) next = past(placed(old, each, next, known));
  while (next !== null) {
    const after = past(next.nextSibling);
    next.remove();
    next = after;
  }
}

/** Step over what modules made. @param {ChildNode | null} node */
function past(node) {
  while (node !== null && isMade(node)) node = /** @type {ChildNode | null} */ (node.nextSibling);
  return node;
}

/**
 * Bring one child about, before `next`; what comes after it.
 * @param {Element} old @param {ChildNode} fresh @param {ChildNode | null} next @param {Map<string, ChildNode>} known
 * @returns {ChildNode | null}
 */
function placed(old, fresh, next, known) {
  const key = keyOf(fresh);
  const found = key ? known.get(key) : isAlike(next, fresh) ? next : undefined;
  if (!found || found.nodeName !== fresh.nodeName) {
    old.insertBefore(document.importNode(fresh, true), next);
    return next;
  }
  const after = found === next ? next.nextSibling : next;
  if (found !== next) move(old, found, next);
  if (found instanceof Element) morph(found, /** @type {Element} */ (fresh));
  else if (found.nodeValue !== fresh.nodeValue) found.nodeValue = fresh.nodeValue;
  return /** @type {ChildNode | null} */ (after);
}

/** @param {ChildNode | null} old @param {ChildNode} fresh */
function isAlike(old, fresh) {
  return old !== null && old.nodeName === fresh.nodeName && !keyOf(old);
}

/** Move an element without taking its focus away. @param {any} parent @param {ChildNode} child @param {ChildNode | null} next */
function move(parent, child, next) {
  const focused = /** @type {HTMLElement | null} */ (document.activeElement);
  if (typeof parent.moveBefore === "function") parent.moveBefore(child, next);
  else parent.insertBefore(child, next);
  if (focused && focused !== document.activeElement && child.contains(focused)) focused.focus({ preventScroll: true });
}
