// @ts-check
// The pages of rules and operations: what happens is shown soon, not at once, for much happens and little of it shows here.
import * as live from "./live.js";
import { refresh } from "./regions.js";

const PAUSE_MS = 5_000;
const OFTEN_MS = 60_000; // what falls due makes no event

let timer = 0;

function soon() {
  timer ||= setTimeout(() => {
    timer = 0;
    refresh();
  }, PAUSE_MS);
}

live.on("event", soon);
live.on("reset", soon);
setInterval(refresh, OFTEN_MS);
