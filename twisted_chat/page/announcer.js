// What a screen reader hears of new lines: calmly, never history, never one's own.
import { byId } from "./dom.js";
import { counted } from "./wording.js";

/**
 * @typedef {import("./conversation.js").Conversation} Conversation
 * @typedef {import("./conversation.js").Item} Item
 */

const PAUSE = 1000;
const MOST = 5;

export class Announcer {
  #lines = byId("heard");
  #urgent = byId("heard-now");
  /** @type {{conversation: Conversation, item: Item}[]} */
  #news = [];
  #isDue = false;

  /** @param {Conversation} conversation @param {Item} item @param {boolean} isHere whether its conversation is shown */
  hear(conversation, item, isHere) {
    if (!isHere && !item.callsMe && conversation.isRoom) return;
    this.#news.push({ conversation, item });
    if (this.#isDue) return;
    this.#isDue = true;
    setTimeout(() => this.#say(), PAUSE);
  }

  /** At once: a line of one's own was refused. @param {string} text */
  now(text) {
    this.#urgent.textContent = text;
  }

  #say() {
    this.#isDue = false;
    const news = this.#news.splice(0);
    if (news.length > MOST) this.#line(`${counted(news.length, "new message")} in ${news[0].conversation.title}`);
    else for (const { conversation, item } of news) this.#line(spoken(conversation, item));
    while (this.#lines.childElementCount > 2 * MOST) this.#lines.firstElementChild?.remove();
  }

  /** @param {string} text */
  #line(text) {
    const line = document.createElement("p");
    line.textContent = text;
    this.#lines.append(line);
  }
}

/** @param {Conversation} conversation @param {Item} item */
function spoken(conversation, { kind, from, text, callsMe }) {
  if (!from) return text;
  if (kind === "action") return `${from} ${text}`;
  if (callsMe) return `${from} names you in ${conversation.name}: ${text}`;
  return conversation.isRoom ? `${from}: ${text}` : `${from} whispers: ${text}`;
}
