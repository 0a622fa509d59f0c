// @ts-check
// While the phone of who looks at the desk rings, every page of it leads to the call's ticket. Whoever has no phone in the
// rules is asked about once a session, and never again.
import * as ask from "./ask.js";
import { el, icon, meta } from "./dom.js";
import * as live from "./live.js";

const LEAST_MS = 1_000;
const NO_PHONE = `desk:no-phone:${meta("desk-who")}`;

let timer = 0;
let last_ms = 0;

if (meta("desk-who") && !sessionStorage.getItem(NO_PHONE)) void begin();

async function begin() {
  const answer = await ask.get("/calls/mine");
  if (!answer.ok) return;
  if (!answer.told.has_phone) return sessionStorage.setItem(NO_PHONE, "yes");
  show(answer.told.call);
  live.on("event", (told) => (told.kind === "created" || told.kind.startsWith("call")) && soon());
  live.on("reset", soon);
}

function soon() {
  if (timer) return;
  timer = setTimeout(look, Math.max(0, last_ms + LEAST_MS - Date.now()));
}

async function look() {
  timer = 0;
  last_ms = Date.now();
  const answer = await ask.get("/calls/mine");
  if (answer.ok) show(answer.told.call);
}

/** @param {any} call */
function show(call) {
  const place = document.getElementById("banner");
  const old = document.getElementById("ringing");
  if (!call || !place) return void old?.remove();
  const isHere = location.pathname === `/tickets/${call.ref}`;
  const said = `${call.is_taken ? "You speak with" : "Your phone rings:"} ${call.caller || "a hidden number"}${call.team ? `, ${call.team}` : ""}. `;
  const link = isHere ? "This is the ticket." : el("a", { href: `/tickets/${call.ref}`, "data-command": "call.open", "data-keys": "g c" }, `Open ${call.ref}`);
  const box = el("p", { id: "ringing", role: "status" }, icon("phone"), " ", said, link);
  if (old) old.replaceWith(box);
  else place.append(box);
}
