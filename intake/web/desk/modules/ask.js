// @ts-check
// Sends what a form says as a script does: JSON back, and one sentence when it was not taken.
import { meta } from "./dom.js";
import * as session from "./session.js";

const TIMEOUT_MS = 30_000;

/** @typedef {{ok: boolean, status: number, told: any, text: string}} Answer status 0: nobody answered */

/**
 * @param {string} url
 * @param {FormData | Record<string, unknown>} body
 * @param {{isLeaving?: boolean, isLong?: boolean}} [how] isLeaving: the page may be gone before it is answered
 * @returns {Promise<Answer>}
 */
export async function post(url, body, { isLeaving = false, isLong = false } = {}) {
  const first = await sent(url, body, isLeaving, isLong);
  if (first.status !== 403 || isLeaving || !(await session.isNew())) return first;
  return sent(url, body, isLeaving, isLong);
}

/** @param {string} url @param {FormData | Record<string, unknown>} body @param {boolean} isLeaving @param {boolean} isLong */
function sent(url, body, isLeaving, isLong) {
  const isForm = body instanceof FormData;
  const headers = { Accept: "application/json", csrf: meta("csrf"), ...(isForm ? {} : { "Content-Type": "application/json" }) };
  const signal = isLeaving || isLong ? undefined : AbortSignal.timeout(TIMEOUT_MS);
  return answer(url, { method: "POST", headers, body: isForm ? body : JSON.stringify(body), keepalive: isLeaving, signal });
}

/** @param {string} url @returns {Promise<Answer>} */
export function get(url) {
  return answer(url, { headers: { Accept: "application/json" }, signal: AbortSignal.timeout(TIMEOUT_MS) });
}

/** @param {string} url @param {RequestInit} asked @returns {Promise<Answer>} */
async function answer(url, asked) {
  try {
    const came = await fetch(url, { ...asked, redirect: "manual" });
    const told = came.headers.get("Content-Type")?.includes("json") ? await came.json() : {};
    if (came.status === 401) document.dispatchEvent(new Event("desk:signed-out"));
    return { ok: came.ok, status: came.status, told, text: told.error?.text ?? (came.ok ? "" : "That was not taken. Try again in a moment.") };
  } catch {
    return { ok: false, status: 0, told: {}, text: "The desk does not answer. Your text is kept: try again in a moment." };
  }
}
