// The tabs of one browser: each goes on with a session of its own, and none ends that of another.
import { fold } from "./names.js";
import { load, save } from "./storage.js";

/**
 * @typedef {import("./client.js").Kept & {isOpen?: boolean}} Kept `isOpen`: a tab goes on with it, unless it crashed
 */

/** Milliseconds: a tab that is busy answers late, and one that crashed never. */
const ANSWERS_IN = 1500;

export class Tabs {
  #channel = "BroadcastChannel" in globalThis ? new BroadcastChannel("chat") : null;
  #asked = "";
  #isHeld = () => {};
  #id = Math.random();
  /** The other tab that somebody looks at, and as whom. */
  #looked = { tab: 0, nick: "" };

  /**
   * @param {{session(): string, lose(): void, keep(): void}} acts `session`: what this tab goes on with; `lose`: another
   *   one does now; `keep`: what a new tab would come back to is closed
   */
  constructor(acts) {
    addEventListener("storage", ({ key }) => {
      if (key === "chat.session" && !load("session")?.isOpen) acts.keep();
    });
    this.#channel?.addEventListener("message", ({ data }) => {
      if ("nick" in data) {
        if (data.nick || data.tab === this.#looked.tab) this.#looked = data;
        return;
      }
      const isOurs = data.session === acts.session();
      if (data.asks && isOurs) this.#tell({ session: data.session });
      else if (data.takes && isOurs) acts.lose();
      else if (!data.asks && data.session === this.#asked) this.#isHeld();
    });
  }

  /** @param {{session: string, asks?: true, takes?: true} | {tab: number, nick: string}} what */
  #tell(what) {
    this.#channel?.postMessage(what);
  }

  /** What this tab went on with before it was reloaded; in a new one, what the browser did. @returns {Kept | null} */
  kept() {
    const own = load("session", true);
    const kept = own ?? load("session");
    return kept?.model?.session ? kept : null; // whoever left in this tab is asked for a name
  }

  /** Whether another tab goes on with that. @param {Kept} kept @returns {Promise<boolean>} */
  isHeld({ isOpen, model: { session } }) {
    if (!isOpen || !this.#channel) return Promise.resolve(false);
    this.#asked = session;
    return new Promise((done) => {
      this.#isHeld = () => done(true);
      setTimeout(() => done(false), ANSWERS_IN);
      this.#tell({ session, asks: true });
    }).finally(() => {
      this.#asked = "";
    });
  }

  /** This tab goes on with a session from now on. @param {string} session */
  take(session) {
    this.#tell({ session, takes: true });
  }

  /** Somebody looks at this tab, or does so no more. @param {string} nick who they are; empty for nobody */
  look(nick) {
    if (nick) this.#looked = { tab: 0, nick: "" }; // nobody looks at two, and the other one may have crashed
    this.#tell({ tab: this.#id, nick });
  }

  /** Whether they look at another tab, in which they see what comes. @param {string} nick */
  isLookedAt(nick) {
    return fold(this.#looked.nick) === fold(nick);
  }

  /** The session of another device of an account in this browser, beside which it lets us in; empty for none. @param {string} name */
  beside(name) {
    const among = /** @type {(Kept | null | undefined)[]} */ ([load("session"), load("session", true) || null]);
    return among.find((each) => each?.model?.account && fold(each.model.account) === fold(name))?.model.session ?? "";
  }

  /**
   * Keep what a reload comes back to. New tabs, and a browser that is started again, come back to
   * what was kept last, but not instead of a device that is remembered.
   * @param {import("./client.js").Kept} kept @param {boolean} isOpen
   */
  keep(kept, isOpen) {
    save("session", { ...kept, isOpen }, true);
    const first = load("session")?.model;
    if (!first?.remembered || first.session === kept.model.session) save("session", { ...kept, isOpen });
  }

  /** Somebody has left: this tab comes back to nothing. */
  forget() {
    if (load("session")?.model?.session === load("session", true)?.model?.session) save("session", null);
    save("session", false, true);
  }

  /** The server wants the password again: what was remembered is worth nothing. @param {{session: string, account: string}} of */
  expire({ session, account }) {
    const first = load("session");
    if (!first?.model || (first.model.session !== session && first.model.account !== account)) return;
    first.model.remembered = false;
    save("session", first);
  }
}
