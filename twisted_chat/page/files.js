// Files on their way to a room: one address for each, asked for and used once; how far they are, and what stopped them.
import { sizeOf } from "./wording.js";

/**
 * @typedef {{
 *   name: string, size: number, place: string, sent: number, state: "waiting" | "sending" | "refused", reason: string,
 *   stop: () => void,
 * }} Upload `place` is the key of the room that it goes to
 */

const AT_ONCE = 2;
const LOST = "The connection was lost on the way.";

export class Files {
  /** Oldest first; those that are there are gone from here. @type {Upload[]} */
  uploads = [];
  /** How far they are is different. */
  onChange = () => {};

  /** @param {(room: string) => Promise<string>} ask asks for an address to send one file to @param {() => XMLHttpRequest} request */
  constructor(ask, request = () => new XMLHttpRequest()) {
    this.ask = ask;
    this.request = request;
  }

  /**
   * Send files to a room.
   * @param {Iterable<File>} files @param {{name: string, key: string}} room @param {number} most bytes of a file
   */
  async send(files, room, most) {
    const due = [...files].map((file) => ({ file, upload: this.#begin(file, room.key, most) }));
    this.onChange();
    const work = async () => {
      for (let next = due.shift(); next; next = due.shift()) {
        if (next.upload.state !== "refused" && this.uploads.includes(next.upload)) await this.#send(next.file, next.upload, room.name);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
  }

  /** Forget it; what is on its way is stopped. @param {Upload} upload */
  drop(upload) {
    upload.stop();
    this.uploads = this.uploads.filter((each) => each !== upload);
    this.onChange();
  }

  /** @param {File} file @param {string} place @param {number} most @returns {Upload} */
  #begin(file, place, most) {
    const reason = file.size > most ? `That file has ${sizeOf(file.size)}, ${sizeOf(most)} is the most.` : "";
    /** @type {Upload} */
    const upload = { name: file.name, size: file.size, place, sent: 0, state: reason ? "refused" : "waiting", reason, stop() {} };
    this.uploads.push(upload);
    return upload;
  }

  /** @param {File} file @param {Upload} upload @param {string} room */
  async #send(file, upload, room) {
    try {
      const url = await this.ask(room);
      if (!this.uploads.includes(upload)) return;
      upload.state = "sending";
      await this.#put(`${new URL(url).pathname}${encodeURIComponent(file.name || "file")}`, file, upload);
      this.drop(upload);
    } catch (why) {
      upload.state = "refused";
      upload.reason = why instanceof Error ? why.message : LOST;
      this.onChange();
    }
  }

  /** To this very origin, whatever the server calls itself. @param {string} path @param {File} file @param {Upload} upload */
  #put(path, file, upload) {
    const request = this.request();
    upload.stop = () => request.abort();
    return new Promise((/** @type {(_: void) => void} */ done, fail) => {
      request.upload.onprogress = (event) => {
        upload.sent = event.loaded;
        this.onChange();
      };
      request.onload = () => (request.status === 201 ? done() : fail(new Error(request.responseText.trim() || LOST)));
      request.onerror = () => fail(new Error(LOST));
      request.onabort = () => done();
      request.open("PUT", path);
      request.send(file);
    });
  }
}
