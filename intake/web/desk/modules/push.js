// @ts-check
// The switch for notices in this browser. Nothing is asked of the browser before it is pressed.
import * as ask from "./ask.js";

const place = document.getElementById("push");
const state = /** @type {HTMLElement | null} */ (place?.querySelector("[data-push-state]") ?? null);
const on = /** @type {HTMLButtonElement | null} */ (place?.querySelector("[data-push-on]") ?? null);
const off = /** @type {HTMLButtonElement | null} */ (place?.querySelector("[data-push-off]") ?? null);

if (state && on && off) {
  on.addEventListener("click", turnOn);
  off.addEventListener("click", turnOff);
  void look();
}

/** @param {string} text @param {boolean} isOn @param {boolean} isOff */
function show(text, isOn, isOff) {
  if (state) state.textContent = text;
  on?.toggleAttribute("hidden", !isOff);
  off?.toggleAttribute("hidden", !isOn);
}

/** What this browser holds for us; null = nothing. @returns {Promise<PushSubscription | null>} */
async function held() {
  return (await (await navigator.serviceWorker.getRegistration("/"))?.pushManager.getSubscription()) ?? null;
}

async function look() {
  if (!("serviceWorker" in navigator) || !("PushManager" in window)) return show("This browser cannot be told.", false, false);
  if (Notification.permission === "denied") return show("This browser was told to show none: change that in its settings.", false, false);
  const found = await held();
  if (!found) return show("You are not told here.", false, true);
  // Only the desk knows whether it tells somebody here: another agent may have asked, or a sign-in that is over.
  const answer = await ask.post("/push/state", { endpoint: found.endpoint });
  if (!answer.ok) return show(answer.text, false, true);
  show(answer.told.told ? "You are told here." : "You are not told here since you signed in: press the button to be told again.", answer.told.told, !answer.told.told);
}

async function turnOn() {
  const answer = await ask.get("/push/key");
  if (!answer.ok) return show(answer.text, false, true);
  try {
    await navigator.serviceWorker.register("/worker.js", { scope: "/" });
    const registration = await navigator.serviceWorker.ready;
    const old = await registration.pushManager.getSubscription();
    if (old && !isOf(old, answer.told.key)) await old.unsubscribe(); // the desk has another key since: that one brings nothing
    const found = await registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: answer.told.key });
    const told = await ask.post("/push/subscribe", /** @type {Record<string, unknown>} */ (found.toJSON()));
    if (!told.ok) return show(told.text, false, true);
  } catch (error) {
    return show(`The browser did not allow it: ${error instanceof Error ? error.message : ""}`, false, true);
  }
  await look();
}

/** Whether it takes what is signed with this key. @param {PushSubscription} found @param {string} key base64url */
function isOf(found, key) {
  const bytes = new Uint8Array(found.options.applicationServerKey ?? new ArrayBuffer(0));
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "") === key;
}

async function turnOff() {
  const found = await held();
  if (found) {
    const answer = await ask.post("/push/unsubscribe", { endpoint: found.endpoint });
    if (!answer.ok) return show(answer.text, true, false);
    await found.unsubscribe();
  }
  await look();
}
