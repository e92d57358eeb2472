// A room or the whispers with one person: its lines in order, who is there, what is unread.
import { fold } from "./names.js";

/**
 * One row of a conversation.
 * @typedef {{
 *   kind: "said" | "action" | "rename" | "topic" | "notice" | "traffic" | "answer" | "gap" | "file" | "delete",
 *   id: number, time: number, from: string, to: string, text: string, mine: boolean, callsMe: boolean,
 *   account: boolean, lines: string[], traffic: Traffic[], version: number, file: Sent | null,
 * }} Item
 * @typedef {{name: string, type: string, size: number, path: string}} Sent a file; `path` is empty once it is gone
 * @typedef {{nick: string, what: "joined" | "left" | "away" | "back", why: string}} Traffic
 * @typedef {import("./incoming.js").Member} Member
 */

/** Lines that are kept of a room; older ones load again. */
const KEPT = 3000;
/** The same, of a room in which somebody reads older lines. */
const KEPT_ABOVE = 10_000;

/** An item of no kind in particular. @param {Partial<Item> & Pick<Item, "kind">} what @returns {Item} */
export const item = (what) => ({
  id: 0, time: Date.now(), from: "", to: "", text: "", mine: false, callsMe: false,
  account: false, lines: [], traffic: [], version: 0, file: null, ...what,
});

/** Whether somebody says or does something. @param {Item} item */
export const isTalk = (item) => item.kind === "said" || item.kind === "action" || item.kind === "file";

/** The numbers of a log that we have had, without a hole from `first` to `last`. */
export class Span {
  first = 1;
  last = 0;
  /** Whether nothing is older. */
  get complete() {
    return this.first <= 1;
  }
  loading = false;
  /** What lies between `last` and what comes next, if that does not follow. @type {"" | "kept" | "gone"} */
  hole = "";

  /** Know nothing before the next number, which follows this one. @param {number} last */
  restart(last) {
    this.first = last + 1;
    this.last = last;
    this.hole = "";
    this.loading = false;
  }
}

export class Conversation {
  /** @param {string} name a room's, or a nickname @param {boolean} isRoom @param {Span} span */
  constructor(name, isRoom, span = new Span()) {
    this.name = name;
    this.isRoom = isRoom;
    this.span = span;
    /** @type {Item[]} */
    this.items = [];
    /** The place of `items[0]`, which goes down as older ones come. */
    this.base = 0;
    this.unread = 0;
    this.mentions = 0;
    /** The id of the first unread line; 0 for none. */
    this.mark = 0;
    /** Where the rule "new" stands while one reads. @type {{id: number, count: number} | null} */
    this.fresh = null;
    this.topic = "";
    /** @type {Map<string, Member>} */
    this.members = new Map();
    this.count = 0;
    this.entered = false;
    /** Whether somebody was banned last, or let in again, as far as that stands among the lines. @type {Map<string, boolean>} */
    this.bans = new Map();
    /** Folded nicknames, who spoke last first. @type {string[]} */
    this.speakers = [];
    this.peopleVersion = 0;
  }

  get key() {
    return this.isRoom ? fold(this.name) : "@" + fold(this.name);
  }

  /** How it is called on the page and in its address. */
  get title() {
    return this.isRoom ? this.name : "@" + this.name;
  }

  /** Whether everything up to now has come: until then, nobody knows how much is unread. */
  get isCaughtUp() {
    return this.entered || !this.isRoom;
  }

  get end() {
    return this.base + this.items.length;
  }

  /** @param {number} place */
  at(place) {
    return this.items[place - this.base];
  }

  /** A new line at the end. @param {Item} item */
  append(item) {
    this.items.push(item);
  }

  /** A file is gone. @param {number} id of its line */
  gone(id) {
    const line = this.items.find((each) => each.id === id);
    if (!line?.file) return;
    line.file = { ...line.file, path: "" };
    line.version++;
  }

  /** Older lines, the oldest first. @param {Item[]} items */
  prepend(items) {
    this.items.unshift(...items);
    this.base -= items.length;
  }

  /** Forget the lines; what is kept loads again. */
  clear() {
    this.base = this.end;
    this.items = [];
  }

  /** Forget what is older than the newest lines. @param {boolean} follows whether nobody reads older ones */
  trim(follows) {
    const most = follows ? KEPT : KEPT_ABOVE;
    if (!this.isRoom || this.items.length < 2 * most) return;
    const kept = this.items.slice(-most);
    const first = kept.find((each) => each.id);
    if (!first) return;
    this.base += this.items.length - most;
    this.items = kept;
    this.span.first = first.id;
  }

  /** Somebody came, went or is away: one row for all of them between two lines. @param {number} time @param {Traffic} who */
  pass(time, who) {
    const last = this.items.at(-1);
    if (last?.kind === "traffic" && new Date(last.time).toDateString() === new Date(time).toDateString()) {
      last.traffic.push(who);
      if (last.traffic.length > 500) last.traffic.shift();
      last.version++;
    } else this.append(item({ kind: "traffic", time, traffic: [who] }));
  }

  /** Everything has been read. @param {boolean} keepRule whether the rule "new" stays where it is */
  read(keepRule) {
    if (this.mark && !(keepRule && this.fresh)) this.fresh = { id: this.mark, count: this.unread };
    this.unread = this.mentions = this.mark = 0;
  }

  /** It has been read up to a number, on another device; unread lines may be here, or load later. @param {number} id */
  readElsewhere(id) {
    if (!this.mark || this.mark > id) return;
    const rest = this.items.filter((each) => each.id > id && isTalk(each) && !each.mine);
    const missing = Math.max(0, Math.min(this.unread - rest.length, this.span.first - 1 - id));
    this.unread = rest.length + missing;
    this.mentions = rest.filter((each) => each.callsMe || !this.isRoom).length;
    this.mark = missing ? id + 1 : rest[0]?.id ?? 0;
  }

  /** Who is here: who spoke last first, then by name. */
  people() {
    const spoke = this.speakers.map((key) => this.members.get(key)).filter((each) => each !== undefined);
    const rest = [...this.members].filter(([key]) => !this.speakers.includes(key)).map(([, each]) => each);
    return [...spoke, ...rest.sort((a, b) => a.nick.localeCompare(b.nick))];
  }

  /** @param {import("./incoming.js").State} told @returns {boolean} whether we have just entered */
  described(told) {
    this.name = told.room;
    this.topic = told.topic;
    this.members = new Map(told.members.map((each) => [fold(each.nick), each]));
    this.count = told.count;
    this.peopleVersion++;
    const before = this.entered;
    this.entered = true;
    return !before;
  }

  /** @param {string} nick */
  spoke(nick) {
    const key = fold(nick);
    if (this.speakers[0] === key) return;
    this.speakers = [key, ...this.speakers.filter((each) => each !== key)].slice(0, 100);
  }

  /** @param {string} old @param {string} nick */
  renamed(old, nick) {
    const member = this.members.get(fold(old));
    if (member) {
      this.members.delete(fold(old));
      this.members.set(fold(nick), { ...member, nick });
    }
    this.speakers = this.speakers.map((each) => (each === fold(old) ? fold(nick) : each));
    this.peopleVersion++;
  }

  /** @param {string} nick @param {boolean} account */
  joined(nick, account) {
    this.peopleVersion++;
    if (this.members.has(fold(nick))) return;
    this.members.set(fold(nick), { nick, away: "", role: "member", connected: true, account, muted: false });
    this.count++;
  }

  /** @param {string} nick */
  left(nick) {
    this.peopleVersion++;
    if (this.members.delete(fold(nick)) || this.count > this.members.size) this.count--;
  }

  /** @param {string} nick @param {string} role */
  role(nick, role) {
    const member = this.members.get(fold(nick));
    if (member && member.role !== "administrator") member.role = role;
    this.peopleVersion++;
  }

  /** Somebody may not speak, or may again. @param {string} nick @param {boolean} muted */
  mute(nick, muted) {
    const member = this.members.get(fold(nick));
    if (member) member.muted = muted;
  }

  /** Somebody was banned, or let in again. @param {import("./incoming.js").Happened} told @param {boolean} isOld whether what is known came later */
  ban({ event, target }, isOld = false) {
    if (!isOld || !this.bans.has(fold(target))) this.bans.set(fold(target), event === "ban");
  }

  /** @param {string} nick @param {string} why empty for who is back */
  away(nick, why) {
    const member = this.members.get(fold(nick));
    if (member) member.away = why;
    this.peopleVersion++;
  }
}
