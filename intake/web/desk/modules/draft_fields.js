// @ts-check
// What a form of a new ticket holds beside its text: kept in this browser with the text, so that a reload finds the caller's
// number as well.

const NOT_THEIRS = ["csrf", "fork", "revision", "seen", "text", "files", "kept"];

/** @param {HTMLFormElement} form @returns {Record<string, string>} */
export function of(form) {
  const found = [...new FormData(form)].filter(([name, value]) => typeof value === "string" && value && !NOT_THEIRS.includes(name));
  return Object.fromEntries(/** @type {[string, string][]} */ (found));
}

/** Fill in what is still empty. @param {HTMLFormElement} form @param {Record<string, string>} fields */
export function fill(form, fields) {
  for (const [name, value] of Object.entries(fields)) {
    const field = form.elements.namedItem(name);
    const isEmpty = (field instanceof HTMLInputElement || field instanceof HTMLSelectElement) && !field.value;
    if (field instanceof RadioNodeList || isEmpty) /** @type {{value: string}} */ (field).value = value;
  }
}

/** Whether the page was opened for somebody: what was begun for another customer is not put into it. @param {HTMLFormElement} form */
export function isFilled(form) {
  return ["name", "email", "phone"].some((name) => {
    const field = form.elements.namedItem(name);
    return field instanceof HTMLInputElement && field.defaultValue !== "";
  });
}
