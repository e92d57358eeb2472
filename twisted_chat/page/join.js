// The first screen: a nickname, a room, and a password where the name is registered.
import { ASKS_PASSWORD } from "./client.js";
import { byId, say } from "./dom.js";
import { isolated } from "./wording.js";

export class Join {
  #nick = byId("join-nick", HTMLInputElement);
  #room = byId("join-room", HTMLInputElement);
  #password = byId("join-password", HTMLInputElement);
  #remember = byId("join-remember", HTMLInputElement);
  #button = byId("join-button", HTMLButtonElement);

  /** @param {(nick: string, room: string, password: string, remember: boolean) => void} join */
  constructor(join) {
    byId("join-form").addEventListener("submit", (event) => {
      event.preventDefault();
      const nick = this.#nick.value.trim();
      const room = this.#room.value.trim();
      if (!nick) return this.#wrong(this.#nick, "nick-error", "Choose a nickname first.");
      this.#calm();
      this.#button.disabled = true;
      say(this.#button, "Joining");
      join(nick, room.startsWith("#") ? room : `#${room || "lobby"}`, this.#password.value, this.#remember.checked);
    });
    for (const each of [this.#nick, this.#password]) each.addEventListener("input", () => this.#calm());
    this.#nick.addEventListener("input", () => this.#askPassword(false, ""));
  }

  /** @param {string} nick @param {string} room @param {string} server */
  open(nick, room, server) {
    this.#ready();
    this.#calm();
    this.#nick.value ||= nick;
    this.#room.value = room || "#lobby";
    say(byId("join-server"), server || "Twisted Chat");
    say(byId("join-where"), `at ${location.host}`);
    byId("join").hidden = false;
    byId("app").hidden = true;
    this.#nick.focus();
  }

  /** Another tab is in the chat: go on with that one's session here, or come under another name. @param {string} nick @param {() => void} here */
  elsewhere(nick, here) {
    byId("elsewhere").hidden = false;
    say(byId("elsewhere-text"), `You are here as ${isolated(nick)} in another tab.`);
    byId("elsewhere-here").onclick = here;
  }

  close() {
    this.#ready();
    byId("elsewhere").hidden = true;
    this.#password.value = "";
    byId("join").hidden = true;
    byId("app").hidden = false;
  }

  /** @param {import("./incoming.js").Refusal} why */
  refused(why) {
    this.#ready();
    if (!ASKS_PASSWORD.has(why.code)) return this.#wrong(this.#nick, "nick-error", why.text);
    const again = !byId("password-field").hidden && this.#password.value !== "";
    this.#askPassword(true, `${this.#nick.value.trim()} is registered. If it is yours, give its password.`);
    if (again) this.#wrong(this.#password, "password-error", why.text);
    this.#password.value = "";
    this.#password.focus();
  }

  /** No answer from the server. @param {string} text */
  waiting(text) {
    say(byId("join-status"), text);
  }

  #ready() {
    this.#button.disabled = false;
    say(this.#button, "Join");
  }

  /** @param {boolean} ask @param {string} hint */
  #askPassword(ask, hint) {
    byId("password-field").hidden = byId("remember-field").hidden = !ask;
    say(byId("nick-hint"), hint || "Up to 20 letters, in any script. No account needed.");
  }

  #calm() {
    for (const each of [this.#nick, this.#password]) each.removeAttribute("aria-invalid");
    for (const id of ["nick-error", "password-error"]) byId(id).hidden = true;
  }

  /** @param {HTMLInputElement} field @param {string} id @param {string} text */
  #wrong(field, id, text) {
    field.setAttribute("aria-invalid", "true");
    byId(id).hidden = false;
    say(/** @type {HTMLElement} */ (byId(id).lastElementChild), text);
    field.focus();
    field.select();
  }
}
