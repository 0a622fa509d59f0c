// @ts-check
// Where every page of the desk begins. Pages work without it; with it they are live and go by keys.
import * as chat from "./chat.js";
import * as choices from "./choices.js";
import * as clock from "./clock.js";
import * as connection from "./connection.js";
import * as help from "./help.js";
import * as keys from "./keys.js";
import * as list from "./list.js";
import * as palette from "./palette.js";
import * as regions from "./regions.js";
import * as timeline from "./timeline.js";

for (const each of document.querySelectorAll(".only-js")) each.removeAttribute("hidden");
document.querySelector('[data-command="palette"]')?.addEventListener("click", palette.open);
document.querySelector('[data-command="help"]')?.addEventListener("click", help.open);
keys.add("help", { label: "Keys", keys: "?", run: help.open }); // also where there is no room for its button
clock.begin();
regions.begin();
list.begin();
timeline.begin();
chat.begin();
keys.begin();
choices.begin(keys.label);
regions.after(keys.label);
connection.begin();
