// @ts-check
/** Files on their way: limits said before, progress shown, each one can be stopped; a lost network is waited for. */
import { icon, iconButton, make } from "./dom.js";
import { newId } from "./memory.js";
import { worked } from "./sending.js";

const NOT_NOW = new Set([429, 503]);
const WAIT_MOST_S = 60; // a file that could go later only than this is given up, and said to be
const TRIES = 3;
const TRY_AGAIN_S = 5;

/**
 * @typedef {{id: string, file: File, state: "held" | "going" | "done" | "failed", tries: number, answer?: any, work?: string,
 *   request?: XMLHttpRequest, chip: HTMLElement, told: HTMLElement}} Upload
 */

export class Uploads {
  /** @type {Upload[]} */ #all = [];
  /** @type {(() => void)[]} */ #waiting = [];
  /** @type {any} */ #again = 0;
  #notBefore = 0;
  #isLetGo = false;
  #panel; #chat; #token;

  /** panel: gives words, limits, conversation, complain(text), learn(); token: "" = nothing may be sent yet. */
  constructor(/** @type {any} */ panel, /** @type {URL} */ chat, /** @type {() => string} */ token) {
    this.#panel = panel;
    this.#chat = chat;
    this.#token = token;
    this.element = make("div", { class: "chips" });
  }

  get isEmpty() {
    return this.#all.length === 0;
  }

  /** Take files up to the limits; says which are not taken, and why. */
  add(/** @type {Iterable<File>} */ files) {
    const { words, limits } = this.#panel;
    const problems = [];
    for (const file of files) {
      if (this.#all.length >= limits.files) problems.push(words.say("fileTooMany", { count: limits.files }));
      else if (file.size > limits.file_bytes) problems.push(words.say("fileTooBig", { name: file.name, size: words.size(limits.file_bytes) }));
      else this.#all.push(this.#chip(file));
    }
    this.#panel.complain([...new Set(problems)].join(" "));
    this.start();
  }

  /** Send what is held, when that is allowed and possible. */
  start() {
    const held = this.#all.filter((each) => each.state === "held");
    if (!held.length || !this.#token() || this.#panel.conversation.asked) return;
    const wait = this.#notBefore - Date.now();
    clearTimeout(this.#again);
    if (wait > 0) this.#again = setTimeout(() => this.start(), wait);
    else for (const each of held) this.#send(each);
  }

  /** Return what was sent, once nothing is under way; null = something could not be sent, and was said. */
  async take() {
    this.#isLetGo = false;
    this.start();
    while (!this.#isLetGo && this.#all.some((each) => each.state === "held" || each.state === "going")) {
      await new Promise((done) => this.#waiting.push(() => done(null)));
    }
    if (this.#isLetGo || this.#all.some((each) => each.state === "failed")) return null;
    const answers = this.#all.map((each) => each.answer);
    this.clear();
    return answers;
  }

  /** Nobody waits for them any longer: the visitor does not give what has to be given first. */
  letGo() {
    this.#isLetGo = true;
    this.#settled();
  }

  clear() {
    clearTimeout(this.#again);
    for (const each of [...this.#all]) this.#remove(each);
  }

  #chip(/** @type {File} */ file) {
    const told = make("span", {}, make("bdi", {}, file.name));
    const chip = make("span", { class: "chip" }, icon("file"), told);
    /** @type {Upload} */ const upload = { id: newId(), file, state: "held", tries: 0, chip, told };
    chip.append(iconButton("close", this.#panel.words.say("removeFile", { name: file.name }), () => this.#removeByHand(upload)));
    this.element.append(chip);
    return upload;
  }

  #removeByHand(/** @type {Upload} */ upload) {
    this.#remove(upload);
    this.#panel.complain("");
    this.#panel.focusText();
  }

  #remove(/** @type {Upload} */ upload) {
    upload.request?.abort();
    upload.chip.remove();
    this.#all = this.#all.filter((each) => each !== upload);
    this.#settled();
  }

  #send(/** @type {Upload} */ upload) {
    const { id, file } = upload;
    const url = new URL("upload", this.#chat);
    url.search = new URLSearchParams({ id, name: file.name, work: upload.work ?? "" }).toString();
    const request = new XMLHttpRequest(); // fetch tells no progress of what it sends
    request.open("POST", url);
    request.setRequestHeader("Authorization", `Bearer ${this.#token()}`);
    request.setRequestHeader("Content-Type", "application/octet-stream");
    request.upload.onprogress = (event) => this.#tell(upload, Math.floor((100 * event.loaded) / event.total));
    request.onload = () => this.#answered(upload, request);
    request.onerror = () => this.#broke(upload);
    Object.assign(upload, { state: "going", request });
    request.send(file);
  }

  #tell(/** @type {Upload} */ upload, /** @type {number} */ percent) {
    const name = upload.file.name;
    upload.told.textContent = percent < 100 ? this.#panel.words.say("uploading", { name, percent }) : name;
  }

  #answered(/** @type {Upload} */ upload, /** @type {XMLHttpRequest} */ request) {
    const { status } = request;
    const answer = read(request.responseText);
    const wait_s = Number(request.getResponseHeader("Retry-After")) || TRY_AGAIN_S;
    if (status === 200 && answer.id) this.#end(upload, answer);
    else if (status === 428 && answer.work) this.#work(upload, answer.work);
    else if (answer.code?.endsWith("_required")) this.#await(upload, answer.code);
    else if (NOT_NOW.has(status) && wait_s <= WAIT_MOST_S) this.#putOff(upload, wait_s);
    else this.#fail(upload, status);
  }

  /** Whoever is offline waits for the line; a file that breaks a line which is up, again and again, is given up. */
  #broke(/** @type {Upload} */ upload) {
    if (this.#panel.conversation.link === "online" && (upload.tries += 1) >= TRIES) this.#fail(upload, 0);
    else this.#putOff(upload, TRY_AGAIN_S);
  }

  /** Go on with it when the visitor has given what is wanted first. */
  #await(/** @type {Upload} */ upload, /** @type {string} */ code) {
    upload.state = "held";
    this.#panel.conversation.want(code);
  }

  #putOff(/** @type {Upload} */ upload, /** @type {number} */ wait_s) {
    upload.state = "held";
    this.#notBefore = Date.now() + 1_000 * wait_s;
    this.start();
  }

  async #fail(/** @type {Upload} */ upload, /** @type {number} */ status) {
    if (status === 413) await this.#panel.learn(); // what is said to be the limit is not
    const { words, limits } = this.#panel;
    const key = { 413: "fileTooBig", 415: "fileKind" }[status] ?? "fileFailed";
    this.#panel.complain(words.say(key, { name: upload.file.name, size: words.size(limits.file_bytes) }));
    this.#end(upload, null);
  }

  /** answer: null = it is not sent. */
  #end(/** @type {Upload} */ upload, /** @type {any} */ answer) {
    upload.state = answer ? "done" : "failed";
    upload.answer = answer;
    this.#tell(upload, 100);
    this.#settled();
  }

  /** Work out what the daemon wants while there is a flood, and send the file again with it. */
  async #work(/** @type {Upload} */ upload, /** @type {any} */ wanted) {
    upload.work = await worked(wanted, () => this.#all.includes(upload));
    upload.state = "held";
    this.start();
  }

  #settled() {
    for (const done of this.#waiting.splice(0)) done();
  }
}

function read(/** @type {string} */ text) {
  try {
    return JSON.parse(text) ?? {};
  } catch {
    return {}; // whoever answered speaks no protocol of ours
  }
}

/** Give a file to the reader as a download: what others sent is never opened by the page. */
export async function save(/** @type {URL} */ url, /** @type {string} */ token, /** @type {string} */ name) {
  const answer = await fetch(url, { headers: { Authorization: `Bearer ${token}` } });
  if (!answer.ok) throw new Error(String(answer.status));
  const link = make("a", { href: URL.createObjectURL(await answer.blob()), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
