// What reaches one who looks elsewhere: the title and its count, notifications, a sound. Nothing unasked.
import { load, save } from "./storage.js";
import { isolated } from "./wording.js";

/**
 * @typedef {import("./conversation.js").Conversation} Conversation
 * @typedef {import("./conversation.js").Item} Item
 * @typedef {"all" | "mentions" | "off"} Level
 */

export class Notifications {
  /** @type {{asked: boolean, sound: boolean, quietUntil: number, levels: Record<string, Level>}} */
  settings = { asked: false, sound: false, quietUntil: 0, levels: {}, ...load("notifications") };
  /** Who was missed first, while nobody was asked: the question to put. @type {string} */
  question = "";
  #icon = /** @type {HTMLLinkElement | null} */ (document.querySelector("link[rel~=icon]"));
  #plain = this.#icon?.href ?? "";
  #drawn = "";
  /** @type {AudioContext | null} */
  #audio = null;

  /** @param {(conversation: Conversation) => void} show */
  constructor(show) {
    this.show = show;
  }

  #save() {
    save("notifications", this.settings);
  }

  /** @param {Conversation} conversation @returns {Level} */
  level(conversation) {
    return this.settings.levels[conversation.key] ?? (conversation.isRoom ? "mentions" : "all");
  }

  /** @param {Conversation} conversation @param {Level} level */
  setLevel(conversation, level) {
    this.settings.levels[conversation.key] = level;
    this.#save();
  }

  get isQuiet() {
    return Date.now() < this.settings.quietUntil;
  }

  /** @param {boolean} quiet until tomorrow morning, at five */
  setQuiet(quiet) {
    const morning = new Date();
    if (morning.getHours() >= 5) morning.setDate(morning.getDate() + 1);
    this.settings.quietUntil = quiet ? morning.setHours(5, 0, 0, 0) : 0;
    this.#save();
  }

  get isAllowed() {
    return "Notification" in window && Notification.permission === "granted" && this.settings.asked;
  }

  /** Ask the browser, because somebody said so. @param {boolean} yes */
  async answer(yes) {
    this.question = "";
    this.settings.asked = true;
    if (yes && "Notification" in window) await Notification.requestPermission();
    this.#save();
  }

  setSound() {
    this.settings.sound = !this.settings.sound;
    this.#save();
    if (this.settings.sound) this.#beep();
  }

  /** A line that is news, and nobody looks. @param {Conversation} conversation @param {Item} line */
  missed(conversation, line) {
    const level = this.level(conversation);
    const calls = line.callsMe || (!conversation.isRoom && !line.mine);
    if (level === "off" || (level === "mentions" && !calls) || line.kind === "notice") return;
    if (calls && !this.settings.asked && "Notification" in window && Notification.permission !== "denied") {
      const did = conversation.isRoom ? "named you" : "whispered to you";
      this.question ||= `${isolated(line.from)} ${did} while you were in another window. Show a notification next time?`;
    }
    if (this.isQuiet) return;
    if (this.settings.sound) this.#beep();
    if (!this.isAllowed) return;
    try {
      const title = conversation.isRoom ? `${line.from} in ${conversation.name}` : line.from;
      const shown = new Notification(title, { body: line.text, tag: conversation.key, icon: "/page/icon-192.png" });
      shown.onclick = () => {
        window.focus();
        this.show(conversation);
        shown.close();
      };
    } catch {
      // a phone shows them only through a service worker
    }
  }

  /** @param {string} title of what is shown @param {string} server @param {number} mentions */
  head(title, server, mentions) {
    const text = `${mentions ? `(${mentions}) ` : ""}${[title, server].filter(Boolean).join(", ") || "Chat"}`;
    if (document.title !== text) document.title = text;
    const drawn = mentions > 9 ? "9+" : mentions ? String(mentions) : "";
    if (!this.#icon || drawn === this.#drawn) return;
    this.#drawn = drawn;
    this.#icon.href = drawn ? counter(drawn) : this.#plain;
  }

  #beep() {
    this.#audio ??= new AudioContext();
    const { currentTime: now, destination } = this.#audio;
    const [tone, volume] = [this.#audio.createOscillator(), this.#audio.createGain()];
    tone.frequency.setValueAtTime(660, now);
    tone.frequency.setValueAtTime(880, now + 0.09);
    volume.gain.setValueAtTime(0.08, now);
    volume.gain.exponentialRampToValueAtTime(0.001, now + 0.3);
    tone.connect(volume).connect(destination);
    tone.start(now);
    tone.stop(now + 0.3);
  }
}

/** The page's icon with a count on it. @param {string} text */
function counter(text) {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 64;
  const paint = canvas.getContext("2d");
  if (!paint) return "";
  paint.fillStyle = "#0a6776";
  paint.beginPath();
  paint.arc(32, 32, 32, 0, 7);
  paint.fill();
  paint.fillStyle = "#fff";
  paint.font = "600 40px system-ui, sans-serif";
  paint.textAlign = "center";
  paint.textBaseline = "middle";
  paint.fillText(text, 32, 35);
  return canvas.toDataURL();
}
