// @ts-check
// Whose page this is. A session ends while a page is open: signed in anew in another tab, the page goes on with the new
// session's word; with somebody else signed in, nothing of this page is sent in their name.
import { meta } from "./dom.js";
import { load } from "./regions.js";

/** Whether a fresh page is of the same agent; its word is taken up then. @param {Document} fresh */
export function adopt(fresh) {
  const given = (/** @type {string} */ name) => /** @type {HTMLMetaElement | null} */ (fresh.querySelector(`meta[name="${name}"]`))?.content ?? "";
  if (given("desk-who") !== meta("desk-who")) {
    document.dispatchEvent(new Event("desk:signed-out"));
    return false;
  }
  const word = given("csrf");
  if (!word || word === meta("csrf")) return true;
  document.querySelector('meta[name="csrf"]')?.setAttribute("content", word);
  for (const each of document.querySelectorAll('input[name="csrf"]')) each.setAttribute("value", word);
  document.dispatchEvent(new Event("desk:signed-in"));
  return true;
}

/** Whether this page is somebody's whose session has begun since: then what was refused can be sent once more. */
export async function isNew() {
  const before = meta("csrf");
  const fresh = await load("/account");
  return fresh !== null && adopt(fresh) && meta("csrf") !== before;
}
