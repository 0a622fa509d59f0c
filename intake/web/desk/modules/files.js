// @ts-check
// The files of what is being written: chosen, pasted or dropped, at the desk with their draft as soon as it takes them, and
// sent with the form in any case.
import { el } from "./dom.js";

export class Files {
  /** @param {HTMLFormElement} form @param {import("./drafts.js").Draft} draft @param {(text: string) => void} say why one is not kept */
  constructor(form, draft, say) {
    this.form = form;
    this.draft = draft;
    this.say = say;
    /** @type {{name: string, size: number}[]} with the draft, at the desk */
    this.kept = [...form.querySelectorAll('[name="kept"]')].map((each) => ({ name: /** @type {HTMLInputElement} */ (each).value, size: 0 }));
    /** @type {File[]} that the desk does not have yet: on their way, or it did not answer. They leave with the form. */
    this.attached = [];
    this.listen();
  }

  listen() {
    const { form } = this;
    const field = /** @type {HTMLInputElement} */ (form.elements.namedItem("files"));
    form.addEventListener("desk:files", (event) => this.keeps(/** @type {CustomEvent} */ (event).detail));
    form.addEventListener("formdata", (event) => this.fill(event.formData));
    field.addEventListener("change", () => {
      const chosen = [...(field.files ?? [])];
      field.value = "";
      void this.attach(chosen);
    });
    form.addEventListener("paste", (event) => this.take(event, event.clipboardData));
    form.addEventListener("dragover", (event) => {
      if (!event.dataTransfer?.types.includes("Files")) return;
      event.preventDefault();
      form.classList.add("dropping");
    });
    for (const each of ["dragleave", "drop"]) form.addEventListener(each, () => form.classList.remove("dropping"));
    form.addEventListener("drop", (event) => this.take(event, event.dataTransfer));
  }

  /** @param {FormData} sent */
  fill(sent) {
    sent.delete("kept");
    sent.delete("files");
    for (const each of this.kept) sent.append("kept", each.name);
    for (const each of this.attached) sent.append("files", each);
  }

  /** @param {Event} event @param {DataTransfer | null} found */
  take(event, found) {
    if (!found?.files.length) return;
    event.preventDefault();
    void this.attach([...found.files]);
  }

  /** Give files to the desk one by one; what it does not take stays here, and leaves with the form. @param {File[]} chosen */
  async attach(chosen) {
    this.attached.push(...chosen);
    this.show();
    for (const each of chosen) {
      const { fork } = this.draft;
      const why = await this.draft.attach(each);
      if (why) this.say(why);
      else if (fork === this.draft.fork) this.leaveOut(each);
    }
  }

  /** @param {{name: string, size: number}[]} files what the desk keeps */
  keeps(files) {
    this.kept = files;
    this.show();
  }

  /** They have left. */
  sent() {
    this.attached = [];
    this.show();
  }

  /** @param {File} file */
  leaveOut(file) {
    this.attached = this.attached.filter((each) => each !== file);
    this.show();
  }

  show() {
    const kept = this.kept.map((each) => this.item(each, () => this.draft.detach(each.name), each.name));
    const attached = this.attached.map((each) => this.item(each, () => this.leaveOut(each)));
    this.form.querySelector("[data-attached]")?.replaceChildren(...kept, ...attached);
  }

  /** @param {{name: string, size: number}} file @param {() => void} leave @param {string} [kept] its name at the desk, "" = it is not there yet */
  item(file, leave, kept = "") {
    const drop = () => {
      leave();
      this.form.querySelector("textarea")?.focus();
    };
    const remove = el("button", { type: "button", class: "plain small", "aria-label": `Leave out ${file.name}`, click: drop }, "×");
    return el("li", { class: "pill", "data-kept": kept }, `${file.name}, ${Math.max(1, Math.round(file.size / 1024))} KB `, remove);
  }
}
