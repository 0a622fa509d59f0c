// @ts-check
// A text under way is never lost. Each word goes into this browser at once and to the desk within a second, under a name of
// its own, its fork. A tab holds a lock on its fork: a fork whose tab is gone (reload, crash, a browser that was killed) is
// taken up again; one whose tab lives is shown beside, and neither is written over. Signed out, offline, or with the ticket
// gone elsewhere, the text stays in this browser and is saved as soon as somebody answers.
import * as ask from "./ask.js";
import { el, meta } from "./dom.js";
import { Fork, newFork } from "./draft_fork.js";
import * as fields from "./draft_fields.js";
import * as local from "./draft_local.js";
import * as others from "./draft_others.js";

const PAUSE_MS = 700;
const AGAIN_MS = 2_000;
const AGAIN_MOST_MS = 30_000;
const NOTHING = { text: "", revision: 0, files: [] };
const LEFT_MS = 1_000; // a page that is being left lets go of its fork within that

export class Draft {
  /** @param {HTMLFormElement} form @param {string} ref "" = of a ticket that is yet to be */
  constructor(form, ref) {
    this.form = form;
    this.ref = ref;
    this.kind = form.dataset.kind ?? "reply";
    this.field = /** @type {HTMLTextAreaElement} */ (form.elements.namedItem("text"));
    this.lock = new Fork(`desk:fork:${meta("desk-who")}:${ref || location.search}:${this.kind}`);
    this.fork = newFork(); // until an older one is found
    this.revision = 0;
    this.saved = 0; // the last revision that the desk has
    this.isReady = false; // what was written before has been looked for
    this.ready = Promise.resolve();
    this.isKept = true; // in this browser
    this.isOver = false; // sent: a save that was under way changes nothing
    this.isElsewhere = false; // the ticket is not ours to see any more
    /** @type {Promise<void> | null} */
    this.saving = null;
    this.timer = 0;
    this.again_ms = AGAIN_MS;
    this.written = "";
  }

  /** Find what was being written, and go on with it; what is typed meanwhile is kept with it. */
  begin() {
    return (this.ready = this.find());
  }

  async find() {
    const given = (this.written = this.field.defaultValue);
    this.listen();
    if (this.field.value !== given) this.changed();
    const own = this.lock.before();
    const known = (await this.known()).filter((each) => each.fork !== this.fork);
    const mine = known.find((each) => each.fork === own) ?? (fields.isFilled(this.form) ? undefined : known.find((each) => each.isHere));
    const isMine = mine !== undefined && (await this.lock.wait(mine.fork, mine.fork === own ? LEFT_MS : 0));
    if (!isMine) await this.lock.hold(this.fork);
    const now = this.field.value;
    this.isReady = true;
    if (isMine && mine) {
      local.forget(this.fork);
      this.fork = mine.fork;
      this.take(mine, now === given ? mine.text : joined(mine.text, now, given));
    } else this.take(NOTHING, now === given ? "" : now);
    others.show(this.form, known.filter((each) => each.fork !== this.fork));
  }

  listen() {
    this.form.addEventListener("input", () => this.changed());
    document.addEventListener("visibilitychange", () => document.visibilityState === "hidden" && this.flush());
    window.addEventListener("pagehide", () => this.flush());
    window.addEventListener("online", () => this.soon(0));
    this.form.querySelector("[data-discard]")?.addEventListener("click", () => this.discard());
  }

  /** Everything that is being written here, from this browser and from the desk, the newest first. */
  async known() {
    const told = this.ref ? await ask.get(`/tickets/${this.ref}/drafts`) : await ask.get("/drafts");
    const server = /** @type {any[]} */ (told.told.drafts ?? []).filter((each) => each.kind === this.kind);
    const forks = new Map(server.map((each) => [each.fork, { ...each, isHere: false }]));
    for (const each of local.of(this.ref, this.kind)) {
      const there = forks.get(each.fork);
      if (!there && told.ok && each.saved >= each.revision) {
        local.forget(each.fork); // the desk had it, and has it no more: it was sent, or thrown away
        continue;
      }
      if (there && there.revision > each.revision) forks.set(each.fork, { ...there, fields: each.fields, isHere: true });
      else forks.set(each.fork, { ...each, files: there?.files, isHere: true });
    }
    return [...forks.values()].filter((each) => each.text || each.files?.length).sort((a, b) => (a.at < b.at ? 1 : -1));
  }

  /** Hold another fork; false = another tab has it. @param {string} fork */
  async hold(fork) {
    const isHeld = await this.lock.hold(fork);
    if (isHeld) this.fork = fork;
    return isHeld;
  }

  /** Go on with a text. @param {any} found @param {string} text with what was typed before it was found, or since it was sent */
  take(found, text) {
    this.revision = found.revision;
    this.saved = found.isHere ? (found.saved ?? found.revision) : found.revision;
    this.write(found.text);
    if (text !== found.text) this.field.value = text;
    fields.fill(this.form, found.fields ?? {});
    if (found.files) this.hasFiles(found.files); // else the desk did not answer: those of the page are as it knew them
    this.say(found.at && this.saved >= this.revision ? others.savedAt(found.at) : "");
    this.changed();
    this.soon(PAUSE_MS);
  }

  /** What is attached is the draft's. @param {{name: string, size: number}[]} files */
  hasFiles(files) {
    this.form.dispatchEvent(new CustomEvent("desk:files", { detail: files }));
  }

  /** Keep a file with the draft; the sentence that says why not, "" = it is kept. @param {File} file */
  async attach(file) {
    const body = new FormData();
    body.append("files", file);
    const path = this.ref ? `/tickets/${this.ref}/drafts` : "/drafts";
    const answer = await ask.post(`${path}/${this.fork}/files`, body, { isLong: true });
    if (answer.ok) this.hasFiles(answer.told.files);
    return answer.ok ? "" : answer.text;
  }

  /** @param {string} name */
  async detach(name) {
    const answer = await ask.post(`/drafts/${this.fork}/files/remove`, { name });
    if (answer.ok) this.hasFiles(answer.told.files);
  }

  /** @param {string} text */
  write(text) {
    this.field.value = this.field.defaultValue = this.written = text;
    this.field.dispatchEvent(new Event("desk:written", { bubbles: true }));
    this.mark();
  }

  mark() {
    this.set("fork", this.fork);
    this.set("revision", String(this.revision));
    this.form.querySelector("[data-discard]")?.toggleAttribute("hidden", !this.field.value);
  }

  /** @param {string} name @param {string} value */
  set(name, value) {
    if (this.isReady) /** @type {HTMLInputElement} */ (this.form.elements.namedItem(name)).value = value;
  }

  /** Something was typed: it is in this browser before anything else happens. */
  changed() {
    if (this.isOver) return; // what is typed while it is being sent is taken up once it was
    if (this.field.value === this.written) return void (this.kind === "ticket" && this.revision && this.keep());
    this.written = this.field.value;
    this.revision += 1;
    this.keep();
    this.mark();
    this.say(this.isKept ? "" : "Not kept in this browser, which has no room: wait until it is saved.");
    this.soon(PAUSE_MS);
  }

  keep() {
    const { fork, ref, kind, revision, saved } = this;
    this.isKept = local.keep({ fork, ref, kind, who: meta("desk-who"), text: this.field.value, revision, saved, seen: this.seen(), at: new Date().toISOString(), fields: kind === "ticket" ? fields.of(this.form) : undefined });
  }

  seen() {
    return /** @type {HTMLInputElement | null} */ (this.form.elements.namedItem("seen"))?.value ?? "";
  }

  /** @param {number} wait_ms */
  soon(wait_ms) {
    if (!this.isReady || this.saved >= this.revision) return;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.save(), wait_ms);
  }

  /** @returns {[string, Record<string, unknown>]} */
  message() {
    const url = this.ref && !this.isElsewhere ? `/tickets/${this.ref}/drafts` : `/drafts/${this.fork}`;
    return [url, { fork: this.fork, kind: this.kind, text: this.field.value, revision: this.revision, seen: this.seen() }];
  }

  /** One save at a time, the last text only. */
  async save() {
    if (this.saving) return this.saving;
    if (this.isOver || this.saved >= this.revision) return;
    this.saving = this.saveOnce();
    await this.saving;
    this.saving = null;
    if (this.saved < this.revision && this.again_ms === AGAIN_MS) this.soon(PAUSE_MS);
  }

  async saveOnce() {
    const { fork, revision } = this;
    const { ok, told, status } = await ask.post(...this.message());
    if (fork !== this.fork) return;
    if (!ok) this.failed(status);
    else if (told.state === "sent") await this.wasSent(told.text);
    else if (told.text !== undefined && (told.revision === revision || told.revision > this.revision)) await this.overtaken();
    else this.kept(revision);
  }

  /** @param {number} revision */
  kept(revision) {
    this.again_ms = AGAIN_MS;
    this.saved = Math.max(this.saved, revision);
    this.keep();
    this.say(others.savedAt(new Date().toISOString()));
  }

  /** Another tab has written this fork, where tabs cannot hold one: this text goes on under a name of its own. */
  async overtaken() {
    local.forget(this.fork);
    await this.hold(newFork());
    [this.revision, this.saved] = [1, 0];
    this.keep();
    this.mark();
    others.show(this.form, (await this.known()).filter((each) => each.fork !== this.fork));
  }

  /** It had been sent, and nobody heard the answer: what was written since is another text. @param {string} text as it was sent */
  async wasSent(text) {
    await this.sent(text);
    if (!this.field.value) this.say("It was sent.");
  }

  /** Say where the text is, and try again: the ticket may be somebody else's, the session over, the net away. @param {number} status */
  failed(status) {
    if (status === 404 || status === 403) this.isElsewhere = true;
    const where = this.isKept ? "Kept in this browser" : "Kept in this page alone: do not leave it";
    this.say(status === 401 ? `${where}: sign in again, in another tab, to go on.` : `${where}; saved at the desk when it answers.`, "away");
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.save(), this.again_ms);
    this.again_ms = Math.min(this.again_ms * 2, AGAIN_MOST_MS);
  }

  /** The page goes: what is not saved leaves with it. */
  flush() {
    if (!this.isReady || this.isOver || this.saved >= this.revision) return;
    void ask.post(...this.message(), { isLeaving: true });
  }

  /** @param {string} text @param {string} [state] */
  say(text, state = "") {
    const place = /** @type {HTMLElement | null} */ (this.form.querySelector("[data-saved]"));
    if (place === null) return;
    place.textContent = text;
    place.dataset.state = state;
  }

  /** It was sent: the next text is another one, and begins with what was typed meanwhile. @param {string} text as it was sent */
  async sent(text) {
    this.isOver = true;
    clearTimeout(this.timer);
    local.forget(this.fork);
    await this.hold(newFork());
    this.isOver = false;
    const now = this.field.value;
    this.take(NOTHING, now === text ? "" : now.startsWith(text) ? now.slice(text.length).trimStart() : now);
  }

  /** What was sent is a draft again; false = something else is being written here, and it is shown beside. @param {any} found */
  async back(found) {
    const own = this.field.value;
    const isFree = !own.trim() || own === found.text;
    const isBack = isFree && (await this.hold(found.fork));
    if (isBack) this.take({ ...found, isHere: false }, found.text);
    else others.show(this.form, [found]);
    return isBack;
  }

  async discard() {
    const [fork, text] = [this.fork, this.field.value];
    await this.saving;
    if (this.saved < this.revision) await this.save();
    const answer = await ask.post(`/drafts/${fork}/discard`, {});
    if (!answer.ok) return this.say(answer.text, "away");
    await this.sent(text);
    this.say("Thrown away. ");
    const bring = el("button", { type: "button", class: "plain small", click: () => this.restore(fork) }, "Bring it back");
    this.form.querySelector("[data-saved]")?.append(bring);
    this.field.focus();
  }

  /** @param {string} fork */
  async restore(fork) {
    const answer = await ask.post(`/drafts/${fork}/restore`, {});
    if (answer.ok && answer.told.draft) await this.back(answer.told.draft);
    this.field.focus();
  }
}

/** What was typed into a page goes below the text that was found for it. @param {string} text @param {string} now @param {string} given with the page */
function joined(text, now, given) {
  if (now.startsWith(text)) return now;
  return [text, now.startsWith(given) ? now.slice(given.length).trimStart() : now].filter(Boolean).join("\n\n");
}
