// What one can do with a person, a message, a room and the page: only what the server offers.
import { h } from "./dom.js";
import { openKeys } from "./goto.js";
import { openMenu } from "./menu.js";
import { fold, hue } from "./names.js";
import { now } from "./people.js";
import { exact } from "./wording.js";

/** @typedef {import("./menu.js").Entry} Entry */
/** @typedef {import("./conversation.js").Conversation} Conversation */

/** From the least to the most. */
const ROLES = ["member", "voiced", "operator", "owner", "administrator"];
const rank = (/** @type {string | undefined} */ role) => ROLES.indexOf(role ?? "member");

/** @typedef {import("./incoming.js").Member} Member */

/**
 * What one may do with somebody below oneself: from a role on, with people of such roles. What says
 * `asks` has more to be typed; `if` says when there is something to do.
 * @type {{command: string, label: string, icon: string, from: string, with: string[], harm?: boolean, asks?: boolean, if?: (them: Member | undefined, isBanned: boolean) => boolean}[]}
 */
const MODERATE = [
  { command: "/op", label: "Make operator", icon: "up", from: "owner", with: ["member", "voiced"] },
  { command: "/deop", label: "Take the operator's role", icon: "down", from: "owner", with: ["operator"] },
  { command: "/voice", label: "Give voice", icon: "up", from: "operator", with: ["member"] },
  { command: "/devoice", label: "Take voice", icon: "down", from: "operator", with: ["voiced"] },
  { command: "/unmute", label: "Let them speak again", icon: "mic", from: "operator", with: ROLES, if: (them) => !!them?.muted },
  { command: "/mute", label: "Mute…", icon: "mic", from: "operator", with: ROLES, asks: true },
  { command: "/kick", label: "Kick…", icon: "door", from: "operator", with: ROLES, harm: true, asks: true, if: (them) => !!them },
  { command: "/ban", label: "Ban…", icon: "ban", from: "operator", with: ROLES, harm: true, asks: true, if: (_, isBanned) => !isBanned },
  { command: "/unban", label: "End the ban", icon: "ban", from: "operator", with: ROLES, if: (_, isBanned) => isBanned },
];

export class Menus {
  /**
   * @param {import("./client.js").Client} client @param {import("./composer.js").Composer} composer
   * @param {import("./notifications.js").Notifications} notifications @param {() => void} changed
   */
  constructor(client, composer, notifications, changed) {
    this.client = client;
    this.composer = composer;
    this.notifications = notifications;
    this.changed = changed;
  }

  /** @param {string} name */
  #offers(name) {
    return this.client.model.commands.some((each) => each.name === name);
  }

  /** @param {string} nick @param {HTMLElement} anchor */
  person(nick, anchor) {
    const { client, composer } = this;
    const { model } = client;
    if (model.isMe(nick)) return this.page(anchor);
    const person = model.here?.members.get(fold(nick)) ?? model.person(nick);
    const role = person && person.role !== "member" ? [person.role] : [];
    const facts = [[now(person), ...role, ...(person?.account ? ["registered"] : [])].join(", ")];
    /** @type {Entry[]} */
    const entries = [
      { label: "Whisper", icon: "talk", act: () => this.#after(() => client.go("@" + nick)) },
      { label: "Name in a message", icon: "pen", act: () => this.#after(() => composer.insert(`${nick} `)) },
    ];
    if (this.#offers("/whois")) entries.push({ label: "Since when they are here", icon: "clock", act: () => client.command(`/whois ${nick}`) });
    const [ignore, ignored] = model.ignored.has(fold(nick)) ? ["/unignore", "Show their messages again"] : ["/ignore", "Ignore"];
    if (this.#offers(ignore)) entries.push({ label: ignored, icon: "eye", act: () => client.command(`${ignore} ${nick}`) });
    for (const [n, { command, label, icon, harm, asks }] of this.#mayDoWith(nick).entries()) {
      const act = () => (asks ? this.#after(() => composer.replace(`${command} ${nick} `)) : client.command(`${command} ${nick}`));
      entries.push({ label, icon, harm, below: n === 0, act });
    }
    openMenu(anchor, h("bdi", { class: `a${hue(nick)}` }, nick), facts, entries);
  }

  /** @param {string} nick */
  #mayDoWith(nick) {
    const { here, nick: mine } = this.client.model;
    const [me, them] = [mine, nick].map((each) => here?.isRoom ? here.members.get(fold(each)) : undefined);
    if (rank(them?.role) >= rank(me?.role)) return [];
    return MODERATE.filter((each) => rank(me?.role) >= rank(each.from) && each.with.includes(them?.role ?? "member")
      && (each.if?.(them, here?.bans.get(fold(nick)) ?? false) ?? true) && this.#offers(each.command));
  }

  /** @param {import("./conversation.js").Item} item @param {HTMLElement} row */
  message(item, row) {
    const { client } = this;
    /** @type {Entry[]} */
    const entries = [{ label: "Copy text", icon: "copy", act: () => void navigator.clipboard?.writeText(item.text) }];
    if (item.from && !client.model.isMe(item.from)) {
      entries.push({ label: `Whisper to \u2068${item.from}\u2069`, icon: "talk", act: () => this.#after(() => client.go("@" + item.from)) });
      entries.push({ label: `About \u2068${item.from}\u2069`, icon: "folk", act: () => this.person(item.from, row) });
    }
    const me = client.model.here?.members.get(fold(client.model.nick));
    if (item.file?.path && (item.mine || rank(me?.role) >= rank("operator"))) {
      entries.push({ label: "Delete this file", icon: "x", harm: true, below: true, act: () => client.command(`/delete #${item.id}`, true) });
    }
    const links = [...row.querySelectorAll("a")];
    for (const link of links.slice(0, 5)) entries.push({ label: `Open ${link.hostname}`, icon: "link", act: () => link.click() });
    openMenu(row, item.from || "Message", [exact(item.time)], entries);
  }

  /** @param {Conversation} conversation @param {HTMLElement} anchor */
  room(conversation, anchor) {
    const level = this.notifications.level(conversation);
    const set = (/** @type {import("./notifications.js").Level} */ to) => () => {
      this.notifications.setLevel(conversation, to);
      this.changed();
    };
    /** @type {Entry[]} */
    const entries = [
      { label: "Every message", icon: "bell", checked: level === "all", act: set("all") },
      { label: "Mentions only", icon: "at", checked: level === "mentions", act: set("mentions") },
      { label: "Nothing", icon: "belloff", checked: level === "off", act: set("off") },
    ];
    if (conversation.isRoom && this.#offers("/topic")) {
      const topic = () => this.composer.replace(`/topic ${conversation.topic}`);
      entries.push({ label: "Change the topic", icon: "pen", below: true, act: () => this.#after(topic) });
    }
    if (conversation.isRoom && this.client.model.rooms.length > 1) {
      entries.push({ label: `Leave ${conversation.name}`, icon: "door", act: () => this.client.command(`/leave ${conversation.name}`, true) });
    }
    if (!conversation.isRoom) {
      entries.push({ label: "Close these whispers", icon: "x", below: true, act: () => {
        this.client.model.conversations.delete(conversation.key);
        this.client.go(this.client.model.rooms[0]?.name ?? "#lobby");
      } });
    }
    openMenu(anchor, "Notify me of", [], entries);
  }

  /** @param {HTMLElement} anchor */
  page(anchor) {
    const { client, composer, notifications: { isAllowed, isQuiet, settings } } = this;
    const { model } = client;
    const away = model.person(model.nick)?.away;
    const ask = "Notification" in window && !isAllowed && Notification.permission !== "denied";
    /** @type {Entry[]} */
    const entries = [
      away ? { label: "I am back", icon: "talk", act: () => client.command("/back", true) }
        : { label: "Away…", icon: "clock", act: () => this.#after(() => composer.replace("/away ")) },
      { label: "Another nickname…", icon: "pen", act: () => this.#after(() => composer.replace("/nick ")) },
    ];
    if (ask) entries.push({ label: "Allow notifications", icon: "bell", below: true, act: () => void this.notifications.answer(true).then(this.changed) });
    entries.push({ label: settings.sound ? "Turn the sound off" : "Turn the sound on", icon: settings.sound ? "belloff" : "bell", below: !ask, act: () => this.notifications.setSound() });
    entries.push({ label: isQuiet ? "Notify me again" : "Quiet until tomorrow", icon: isQuiet ? "bell" : "belloff", act: () => this.notifications.setQuiet(!isQuiet) });
    entries.push({ label: "Keys", icon: "gear", below: true, act: openKeys });
    entries.push({ label: "Leave the chat", icon: "door", below: true, act: () => client.leave() });
    openMenu(anchor, h("bdi", {}, model.nick), [model.server], entries);
  }

  /** Do something that takes the focus, after the menu has given it back. @param {() => void} act */
  #after(act) {
    queueMicrotask(act);
  }
}
