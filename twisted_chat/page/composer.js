// Where one types: drafts, completion, what one said before, and how long it may be.
import { commandOf, complete } from "./completion.js";
import { byId, h, say } from "./dom.js";
import { load, save } from "./storage.js";
import { isSecret } from "./secrecy.js";

const WARN = 0.8; // of the limit
const REMEMBERED = 50;
const encoder = new TextEncoder();

export class Composer {
  field = byId("write", HTMLTextAreaElement);
  #send = byId("send", HTMLButtonElement);
  #pop = byId("pop");
  #choices = byId("choices");
  #live = byId("live");
  #keys = byId("keys-hint");
  /** By the key of a conversation. @type {Record<string, string>} */
  drafts = load("drafts") ?? {};
  /** @type {string[]} */
  #said = load("said") ?? [];
  #back = 0;
  #key = "";
  #isOffline = false;
  /** @type {import("./completion.js").Completion | null} */
  #offer = null;
  #chosen = 0;
  #limit = 2000;

  /** @param {{send(text: string): void, known(): import("./completion.js").Known, rooms(): void, keys(): void, newest(): void}} acts */
  constructor(acts) {
    this.acts = acts;
    this.field.addEventListener("input", () => {
      this.#back = 0;
      this.#changed();
    });
    this.field.addEventListener("keydown", (event) => this.#pressed(event));
    this.field.addEventListener("click", () => this.#complete());
    this.field.addEventListener("blur", () => this.#close());
    byId("write-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    this.#choices.addEventListener("pointerdown", (event) => {
      const at = [...this.#choices.children].findIndex((each) => each.contains(/** @type {Node} */ (event.target)));
      event.preventDefault(); // the field keeps the focus
      if (at >= 0) this.#take(at);
    });
  }

  /** @param {import("./conversation.js").Conversation | undefined} here @param {boolean} isOffline @param {number} limit bytes of a line */
  show(here, isOffline, limit) {
    this.#limit = limit;
    const key = here?.key ?? "";
    const label = !here ? "Message" : here.isRoom ? `Message ${here.name}` : `Whisper to ${here.name}`;
    if (this.field.placeholder !== label) {
      this.field.placeholder = label;
      this.field.setAttribute("aria-label", label);
    }
    if (key !== this.#key) {
      this.#key = key;
      this.#back = 0;
      this.#close();
      this.field.value = this.drafts[key] ?? "";
      this.#changed();
    } else if (isOffline !== this.#isOffline) {
      this.#isOffline = isOffline;
      this.#hint();
    }
  }

  focus() {
    this.field.focus({ preventScroll: true });
  }

  /** Put a text where the cursor is. @param {string} text */
  insert(text) {
    const { selectionStart: at, selectionEnd: to, value } = this.field;
    const space = at > 0 && !/\s$/u.test(value.slice(0, at)) ? " " : "";
    this.field.setRangeText(space + text, at, to, "end");
    this.focus();
    this.#changed();
  }

  /** Type this instead of what stands there. @param {string} text */
  replace(text) {
    this.field.value = text;
    this.field.setSelectionRange(text.length, text.length);
    this.focus();
    this.#changed();
  }

  /** Forget drafts, and what was said before. */
  forget() {
    this.drafts = {};
    this.#said = [];
    for (const name of ["drafts", "said"]) save(name, null);
  }

  // Inside

  #changed() {
    const text = this.field.value;
    if (this.#key) {
      if (text && !isSecret(text)) this.drafts[this.#key] = text;
      else delete this.drafts[this.#key];
      save("drafts", this.drafts);
    }
    if (!CSS.supports("field-sizing", "content")) this.field.rows = Math.min(12, text.split("\n").length);
    this.#complete();
    this.#hint();
  }

  /** The longest of the lines that would be sent, in bytes. */
  #bytes() {
    return Math.max(...this.field.value.split("\n").map((each) => encoder.encode(each.trimEnd()).length));
  }

  /** Why this cannot be sent as it is; empty if it can. */
  #obstacle() {
    const text = this.field.value.trim();
    const bytes = this.#bytes();
    if (bytes > this.#limit) return `${bytes.toLocaleString("en")} of ${this.#limit.toLocaleString("en")} bytes: shorten it, or make two lines of it`;
    if (/^(\/(?!\/)|@\S)/u.test(text) && text.includes("\n")) return "A command or a whisper is one line: put a blank first to say this in the room.";
    return "";
  }

  #hint() {
    const text = this.field.value;
    const bytes = this.#bytes();
    const obstacle = this.#obstacle();
    const command = /^\S+\s/u.test(text) ? commandOf(text, this.acts.known()) : undefined;
    const to = /^@([^\s@,]+)(?=\s)/u.exec(text)?.[1];
    let hint = obstacle;
    if (!hint && bytes > WARN * this.#limit) hint = `${bytes.toLocaleString("en")} of ${this.#limit.toLocaleString("en")} bytes`;
    if (!hint && command) hint = `${[command.name, command.usage].join(" ").trim()}: ${command.help}`;
    if (!hint && to && !this.#key.startsWith("@")) hint = `Only \u2068${to}\u2069 will read this`;
    if (!hint && text && this.#isOffline) hint = "Kept on this device until it is sent";
    say(this.#live, hint);
    this.#live.classList.toggle("bad", !!obstacle);
    this.#keys.hidden = !!hint;
    this.#send.disabled = !text.trim() || !!obstacle || !this.#key;
  }

  #submit() {
    const text = this.field.value.replace(/\s+$/u, "").replace(/^(\s*\n)+/u, "");
    this.#close();
    if (!text.trim() || this.#obstacle() || !this.#key) return;
    if (text.trim() === "/keys") this.acts.keys();
    else this.acts.send(text);
    if (!isSecret(text)) {
      this.#said = [text, ...this.#said.filter((each) => each !== text)].slice(0, REMEMBERED);
      save("said", this.#said);
    }
    this.#back = 0;
    this.replace("");
  }

  /** @param {KeyboardEvent} event */
  #pressed(event) {
    if (event.isComposing || event.ctrlKey || event.altKey || event.metaKey) return;
    const { key, shiftKey } = event;
    const offer = this.#offer;
    if (offer && (key === "ArrowDown" || key === "ArrowUp")) {
      this.#choose((this.#chosen + (key === "ArrowDown" ? 1 : -1) + offer.choices.length) % offer.choices.length);
    } else if (offer && key === "Tab" && !shiftKey) this.#take(this.#chosen);
    else if (offer && key === "Escape") this.#close();
    else if (offer && key === "Enter" && !shiftKey && this.#isHalf()) this.#take(this.#chosen);
    else if (key === "Enter" && !shiftKey) this.#submit();
    else if (key === "Escape") this.acts.newest();
    else if (key === "ArrowUp" && (!this.field.value || this.#back)) this.#recall(1);
    else if (key === "ArrowDown" && this.#back) this.#recall(-1);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  /** Whether Enter would send half a word: a command that is not one yet, or a name of which one has typed a part. */
  #isHalf() {
    const offer = this.#offer;
    if (!offer) return false;
    const word = this.field.value.slice(offer.from, offer.to);
    return word.length > 1 && !offer.choices.some((each) => each.insert.trim().toLowerCase() === word.toLowerCase())
      && (word.startsWith("@") || (word.startsWith("/") && !commandOf(word, this.acts.known())));
  }

  /** @param {number} by */
  #recall(by) {
    const back = Math.max(0, Math.min(this.#said.length, this.#back + by));
    this.replace(back ? this.#said[back - 1] : "");
    this.#back = back;
    this.#close();
  }

  #complete() {
    const { value, selectionStart, selectionEnd } = this.field;
    const isHere = document.activeElement === this.field && selectionStart === selectionEnd;
    const known = this.acts.known();
    this.#offer = isHere && value ? complete(value, selectionStart, known) : null;
    if (this.#offer?.caption === "Rooms" || /^\/j/u.test(value)) this.acts.rooms();
    const isWhole = this.#offer?.choices.length === 1
      && this.#offer.choices[0].insert.trim() === value.slice(this.#offer.from, this.#offer.to);
    if (!this.#offer || isWhole) return this.#close();
    say(byId("pop-caption"), this.#offer.caption);
    this.#choices.setAttribute("aria-label", this.#offer.caption);
    this.#choices.replaceChildren(...this.#offer.choices.map((each, n) =>
      h("li", { role: "option", id: `choice-${n}` },
        h("code", { dir: "auto" }, each.label, each.usage && h("i", {}, ` ${each.usage}`)), h("span", { dir: "auto" }, each.help), h("kbd", {}, "Tab"))));
    this.#pop.hidden = false;
    this.#choose(0);
  }

  /** @param {number} at */
  #choose(at) {
    this.#chosen = at;
    [...this.#choices.children].forEach((each, n) => each.setAttribute("aria-selected", String(n === at)));
    this.#choices.children[at]?.scrollIntoView({ block: "nearest" });
    this.field.setAttribute("aria-activedescendant", `choice-${at}`);
  }

  /** @param {number} at */
  #take(at) {
    if (!this.#offer) return;
    const { from, to, choices } = this.#offer;
    this.field.setRangeText(choices[at].insert, from, to, "end");
    this.#changed();
  }

  #close() {
    this.#offer = null;
    this.#pop.hidden = true;
    this.field.removeAttribute("aria-activedescendant");
  }
}
