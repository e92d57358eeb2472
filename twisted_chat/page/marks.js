// How far each room is read, on whatever device: what the server says of it, and what it is to be told.
import { fold } from "./names.js";

/**
 * @typedef {import("./conversation.js").Conversation} Conversation
 * @typedef {{room: string, id: number}} Mark
 */

export class Marks {
  /** Up to which number, by room's key, and our own log by "@". @type {Map<string, number>} */
  #read = new Map();

  /** We are in again: the server knows better. */
  clear() {
    this.#read.clear();
  }

  /** @param {string} key */
  forget(key) {
    this.#read.delete(key);
  }

  /** @param {string} key @param {number} id */
  set(key, id) {
    this.#read.set(key, id);
  }

  /** Up to which number a room is read; undefined where nobody ever said so. @param {string} key */
  of(key) {
    return this.#read.get(key);
  }

  /** Whether an event is read. @param {string} key @param {number} id */
  has(key, id) {
    return id <= (this.#read.get(key) ?? 0);
  }

  /** What is news to the server, but only so many; it is told them by whoever calls this. @param {Mark[]} all @param {number} most */
  take(all, most) {
    const taken = all.filter(({ room, id }) => id > (this.#read.get(fold(room)) ?? 0)).slice(0, most);
    for (const { room, id } of taken) this.#read.set(fold(room), id);
    return taken;
  }
}
