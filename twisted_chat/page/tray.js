// Where files are put in, dropped, pasted or chosen; and above the field, how far they are.
import { byId, h, icon } from "./dom.js";
import { sizeOf } from "./wording.js";

/** @typedef {import("./files.js").Upload} Upload */

export class Tray {
  #list = byId("uploads");
  #attach = byId("attach");
  #chosen = byId("chosen", HTMLInputElement);
  /** @type {WeakMap<Upload, {element: HTMLElement, state: string, bar: HTMLProgressElement}>} */
  #rows = new WeakMap();

  /** @param {{files(files: File[]): void, drop(upload: Upload): void}} acts */
  constructor(acts) {
    this.acts = acts;
    this.#attach.addEventListener("click", () => this.#chosen.click());
    this.#chosen.addEventListener("change", () => {
      acts.files([...(this.#chosen.files ?? [])]);
      this.#chosen.value = "";
    });
    byId("write").addEventListener("paste", (event) => {
      const files = [...(event.clipboardData?.files ?? [])];
      if (!files.length) return;
      event.preventDefault();
      acts.files(files);
    });
    const room = byId("room");
    const isOver = (/** @type {boolean} */ is) => room.classList.toggle("over-it", is);
    addEventListener("dragover", (event) => {
      if (!event.dataTransfer?.types.includes("Files")) return;
      event.preventDefault(); // or the browser would open it
      isOver(true);
    });
    addEventListener("dragleave", (event) => event.relatedTarget ?? isOver(false));
    addEventListener("drop", (event) => {
      if (!event.dataTransfer?.types.includes("Files")) return;
      event.preventDefault();
      isOver(false);
      acts.files([...event.dataTransfer.files]);
    });
  }

  /** @param {Upload[]} uploads those of the room that is shown @param {boolean} takes whether files can be sent there */
  show(uploads, takes) {
    this.#attach.hidden = !takes;
    this.#list.hidden = !uploads.length;
    const rows = uploads.map((each) => this.#row(each));
    if (rows.length !== this.#list.children.length || rows.some((each, n) => each !== this.#list.children[n])) this.#list.replaceChildren(...rows);
  }

  /** @param {Upload} upload */
  #row(upload) {
    const known = this.#rows.get(upload);
    if (known?.state === upload.state) {
      known.bar.value = upload.sent;
      return known.element;
    }
    const refused = upload.state === "refused";
    const bar = h("progress", { max: Math.max(1, upload.size), value: upload.sent, "aria-label": `Sending ${upload.name}` });
    const element = h("li", { class: refused ? "bad" : "" }, icon(refused ? "stop" : "clip"),
      h("span", { class: "named" }, h("bdi", {}, upload.name), " ", h("small", {}, sizeOf(upload.size))),
      refused ? h("span", { role: "alert", dir: "auto" }, `Not sent. ${upload.reason}`) : bar,
      h("button", { type: "button", class: "ib", "aria-label": refused ? "Drop" : `Stop sending ${upload.name}`, onclick: () => this.acts.drop(upload) }, icon("x")));
    this.#rows.set(upload, { element, state: upload.state, bar });
    return element;
  }
}
