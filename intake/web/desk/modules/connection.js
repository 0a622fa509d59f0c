// @ts-check
// The chip that says how old the page is, and the line that says when it cannot be what the daemon has.
import * as ask from "./ask.js";
import { hour } from "./clock.js";
import { el, meta } from "./dom.js";
import * as live from "./live.js";
import { hurry } from "./regions.js";

const PATIENCE_MS = 3_000; // a stream that comes back at once is nobody's worry

export function begin() {
  if (!meta("desk-after")) return;
  const chip = /** @type {HTMLElement} */ (document.getElementById("connection"));
  let timer = 0;
  let seen = hour();
  show(chip, "live", "Live");
  live.on("event", () => (seen = hour()));
  live.on("state", (state) => {
    clearTimeout(timer);
    if (state === "live") {
      hurry();
      show(chip, "live", "Live");
    } else {
      seen = hour();
      timer = setTimeout(() => away(chip, seen), PATIENCE_MS);
    }
  });
  live.on("upgraded", () => banner("There is a newer version of the desk.", "Load it", location.href));
  document.addEventListener("desk:signed-out", () => {
    banner("You are signed out. What you have written is kept.", "Sign in", `/sign-in?next=${encodeURIComponent(location.pathname + location.search)}`);
  });
  document.addEventListener("desk:signed-in", () => document.getElementById("banner")?.replaceChildren());
  live.begin();
}

/** The stream itself does not say why it is not there; a short question hears whether its session is. @param {HTMLElement} chip @param {string} seen */
function away(chip, seen) {
  show(chip, "away", `Reconnecting, as of ${seen}`);
  void ask.get("/calls/mine");
}

/** @param {HTMLElement} chip @param {string} state @param {string} text */
function show(chip, state, text) {
  chip.dataset.state = state;
  if (chip.textContent !== text) chip.textContent = text;
}

/** @param {string} text @param {string} action @param {string} href */
function banner(text, action, href) {
  document.getElementById("banner")?.replaceChildren(`${text} `, el("a", { href }, action));
}
