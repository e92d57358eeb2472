// The chat as one person sees it, told by the server's words and by nothing else. No DOM.
import { Conversation, Span, isTalk, item } from "./conversation.js";
import { Marks } from "./marks.js";
import { caller, fold } from "./names.js";
import { decided } from "./order.js";

/**
 * @typedef {import("./incoming.js").Happened} Happened
 * @typedef {import("./conversation.js").Item} Item
 * @typedef {{name: string, seen: number, unread: number, mentions: number, mark: number}} KeptRoom
 * @typedef {{
 *   nick: string, account: string, session: string, remembered: boolean, epoch: string, server: string,
 *   own: number, mine: string[], current: string, rooms: KeptRoom[], whispers: KeptRoom[],
 * }} Kept
 */

export const LOBBY = "#lobby";

export class Model {
  nick = "";
  /** The name of our account; empty without one. */
  account = "";
  session = "";
  /** Whether the session lasts for months. */
  remembered = false;
  epoch = "";
  server = "";
  /** @type {string[]} */
  motd = [];
  /** @type {import("./incoming.js").Command[]} */
  commands = [];
  lineBytes = 2000;
  /** Bytes of a file that can be sent; 0 where none can. */
  fileSize = 0;
  /** @type {Map<string, Conversation>} */
  conversations = new Map();
  /** Our own log: all whispers. */
  own = new Span();
  /** Rooms of the server, ours or not, as `/rooms` lists them. @type {string[]} */
  listed = [];
  /** Folded nicknames of those whom we ignore. @type {Set<string>} */
  ignored = new Set();
  /** The key of the conversation that is shown. */
  current = LOBBY;
  /** Whether its newest line is in view, even if nobody looks at it. */
  follows = true;
  /** Whether somebody looks at its newest line. */
  reading = false;
  /** Told of each line that is news. @type {(conversation: Conversation, item: Item) => void} */
  onNews = () => {};

  /** Folded nicknames that are or were ours. @type {Set<string>} */
  #mine = new Set();
  #calls = caller("");
  /** Rooms that are ours no more, whatever is still told of them. @type {Set<string>} */
  #left = new Set();
  /** Rooms whose replayed lines are news to us. @type {Set<string>} */
  #catchingUp = new Set();
  #read = new Marks();

  get here() {
    return this.conversations.get(this.current);
  }

  get rooms() {
    return [...this.conversations.values()].filter((each) => each.isRoom);
  }

  get whispers() {
    return [...this.conversations.values()].filter((each) => !each.isRoom);
  }

  /** What a resumed session goes on from. @returns {Record<string, number>} */
  get seen() {
    return { ...Object.fromEntries(this.rooms.map((each) => [each.name, each.span.last])), "@": this.own.last };
  }

  /** @param {string} nick */
  isMe(nick) {
    return fold(nick) === fold(this.nick);
  }

  /** @param {string} nick */
  #be(nick) {
    this.nick = nick;
    this.#mine.add(fold(nick));
    this.#calls = caller(nick);
  }

  // Where one reads

  /** Show a conversation. @param {string} key */
  go(key) {
    if (key === this.current) return;
    const before = this.here;
    if (before) before.fresh = null;
    this.current = key;
  }

  /**
   * Somebody looks at the newest line of what is shown, or does so no more; says whether they read what was unread.
   * @param {boolean} reading @param {boolean} follows whether it is in view
   */
  look(reading, follows = true) {
    this.reading = reading;
    this.follows = follows;
    if (!reading || !this.here?.mark || !this.here.isCaughtUp) return false;
    this.here.read(true);
    return true;
  }

  readAll() {
    for (const each of this.conversations.values()) each.read(each.key === this.current);
  }

  /** Up to which number rooms and our own log are read, of so many where that is news to the server. @param {number} most */
  takeRead(most) {
    const own = this.whispers.map((each) => each.mark).filter(Boolean);
    const last = (/** @type {number} */ mark, /** @type {Span} */ span) => (mark ? mark - 1 : span.last);
    const rooms = this.rooms.map((each) => ({ room: each.name, id: last(each.mark, each.span) }));
    const isHere = (/** @type {{room: string}} */ each) => fold(each.room) === this.current;
    const whispers = { room: "@", id: last(own.length ? Math.min(...own) : 0, this.own) };
    return this.#read.take([...rooms.filter(isHere), whispers, ...rooms.filter((each) => !isHere(each))], most);
  }

  /** The whispers with somebody, begun if there are none. @param {string} nick */
  whisper(nick) {
    const key = "@" + fold(nick);
    const known = this.conversations.get(key);
    if (known) return known;
    const made = new Conversation(nick, false, this.own);
    this.conversations.set(key, made);
    return made;
  }

  /** What is known of somebody, from the rooms that we share. @param {string} nick */
  person(nick) {
    for (const room of this.rooms) {
      const member = room.members.get(fold(nick));
      if (member) return member;
    }
    return null;
  }

  // What the server tells

  /** We are in, again or anew. @param {import("./incoming.js").Welcome} told */
  welcome(told) {
    this.#be(told.nick || this.nick);
    this.account = told.account;
    this.session = told.session || this.session;
    this.server = told.server;
    this.motd = told.motd;
    if (told.commands.length) this.commands = told.commands;
    this.ignored = new Set(told.ignored.map(fold));
    this.lineBytes = told.lineBytes;
    this.fileSize = told.fileSize;
    this.#left.clear();
    if (told.resumed && told.rooms) {
      const ours = new Set(told.rooms.map(fold));
      for (const room of this.rooms) if (!ours.has(room.key)) this.#leave(room.key);
    }
    this.#catchingUp = new Set(this.rooms.map((each) => each.key));
    if (!told.resumed) {
      this.own.restart(0);
      for (const room of this.rooms) room.entered = false;
    }
    if (this.epoch && told.epoch && this.epoch !== told.epoch) {
      for (const each of this.conversations.values()) each.span.restart(0);
    }
    this.epoch = told.epoch || this.epoch;
    this.#read.clear();
    for (const each of told.read) this.readElsewhere(each);
  }

  /** We have read something on another device. @param {import("./incoming.js").Read} told */
  readElsewhere({ room, id }) {
    const key = fold(room);
    this.#read.set(key, id);
    for (const each of key === "@" ? this.whispers : [this.conversations.get(key)]) each?.readElsewhere(id);
  }

  /** @param {import("./incoming.js").State} told */
  state(told) {
    this.#room(told.room)?.described(told);
  }

  /** Lines that will not come; those that are `kept` load as older lines do. @param {import("./incoming.js").Missed} told */
  missed(told) {
    const all = told.room === "@" ? this.whispers : [this.#room(told.room)].filter((each) => each !== undefined);
    const span = told.room === "@" ? this.own : all[0]?.span;
    if (!span) return;
    if (told.kept) span.hole = "kept";
    else if (told.count) span.hole = "gone";
    else span.restart(0);
    for (const each of all) {
      if (told.kept) each.clear();
      else if (each.isRoom && each.items.length) each.append(item({ kind: "gap", text: String(told.count || "") }));
    }
  }

  /** Something happened, now or while we were away. @param {Happened} told */
  happened(told) {
    if (told.event === "join" && this.isMe(told.from) && !told.replayed) this.#left.delete(fold(told.room));
    const own = told.room === "@";
    const room = own ? undefined : this.#room(told.room);
    if (!own && !room) return;
    if (told.id && !this.#count(told.id, room?.span ?? this.own, room ? [room] : this.whispers)) return;
    if (own) this.#toMe(told);
    else if (room) this.#inRoom(told, room);
  }

  /** A page of what was before. @param {import("./incoming.js").Page} page */
  older(page) {
    const own = page.room === "@";
    const room = own ? undefined : this.conversations.get(fold(page.room));
    const span = own ? this.own : room?.span;
    if (!span) return;
    span.loading = false;
    const events = page.events.filter((each) => each.id < span.first);
    for (const told of own ? events : []) {
      if (told.event === "whisper") this.#with(told); // so that there is a conversation to put it into
    }
    for (const conversation of own ? this.whispers : room ? [room] : []) {
      const lines = events
        .filter((each) => !own || (each.event === "whisper" && this.#with(each) === conversation))
        .map((each) => this.#line(each))
        .filter((each) => each !== null);
      conversation.prepend(lines);
      for (const each of [...events].reverse()) if (each.event === "ban" || each.event === "unban") conversation.ban(each, true);
    }
    if (page.more && events.length) span.first = events[0].id;
    else span.first = 1;
  }

  /** The answer to `/rooms`: each line begins with a room's name. @param {string[]} lines */
  listRooms(lines) {
    this.listed = lines.map((each) => /^#[^\s:]+/.exec(each)?.[0] ?? "").filter(Boolean);
  }

  // Keeping it over a reload

  /** @returns {Kept} */
  keep() {
    const kept = (/** @type {Conversation} */ each) => ({
      name: each.name, seen: each.span.last, unread: each.unread, mentions: each.mentions, mark: each.mark,
    });
    return {
      nick: this.nick, account: this.account, session: this.session, remembered: this.remembered, epoch: this.epoch, server: this.server, own: this.own.last,
      mine: [...this.#mine], current: this.current, rooms: this.rooms.map(kept), whispers: this.whispers.map(kept),
    };
  }

  /** @param {Kept} kept */
  restore(kept) {
    this.#be(kept.nick);
    for (const each of kept.mine) this.#mine.add(each);
    this.account = kept.account;
    this.session = kept.session;
    this.remembered = kept.remembered;
    this.epoch = kept.epoch;
    this.server = kept.server;
    this.current = kept.current;
    this.own.restart(kept.own);
    for (const [isRoom, all] of /** @type {[boolean, KeptRoom[]][]} */ ([[true, kept.rooms], [false, kept.whispers]])) {
      for (const each of all) {
        const made = isRoom ? new Conversation(each.name, true) : this.whisper(each.name);
        if (isRoom) made.span.restart(each.seen);
        [made.unread, made.mentions, made.mark] = [each.unread, each.mentions, each.mark];
        this.conversations.set(made.key, made);
      }
    }
  }

  // Inside

  /** Whether this number is new; what came before a hole loads as older lines do. @param {number} id @param {Span} span @param {Conversation[]} all */
  #count(id, span, all) {
    if (id <= span.last) return false;
    const follows = id === span.last + 1 || span.hole === "gone";
    if (span.last === 0) this.#begin(id, span, all);
    else if (!follows) {
      for (const each of all) each.clear();
      span.first = id;
    }
    span.last = id;
    span.hole = "";
    return true;
  }

  /** The first lines of a room that come: unread ones may stand before them. @param {number} id @param {Span} span @param {Conversation[]} all */
  #begin(id, span, all) {
    span.first = id;
    if (span === this.own) return;
    for (const room of all) {
      const missing = id - 1 - (this.#read.of(room.key) ?? id);
      if (missing <= 0) continue;
      room.unread += missing;
      room.mark = id - missing;
    }
  }

  /** A room of ours; undefined for one that we have left. @param {string} name */
  #room(name) {
    const key = fold(name);
    if (this.#left.has(key)) return undefined;
    const known = this.conversations.get(key);
    if (known || !name.startsWith("#")) return known;
    const made = new Conversation(name, true);
    this.conversations.set(key, made);
    return made;
  }

  /** @param {string} key */
  #leave(key) {
    this.conversations.delete(key);
    this.#read.forget(key);
    this.#left.add(key);
    if (this.current === key) this.current = this.rooms.at(-1)?.key ?? LOBBY;
  }

  /** The whispers that a whisper belongs to. @param {Happened} told */
  #with(told) {
    return this.whisper(this.#isFromMe(told) ? told.to : told.from);
  }

  /** @param {Happened} told */
  #isFromMe(told) {
    if (this.isMe(told.from)) return true;
    return told.event === "whisper" && !this.isMe(told.to) && this.#mine.has(fold(told.from));
  }

  /** What happened as a row; null for what has none. @param {Happened} told @returns {Item | null} */
  #line(told) {
    const { id, time, from, to, text, account } = told;
    const base = { id, time, from, to, text, account };
    const mine = this.#isFromMe(told);
    const callsMe = !mine && this.#calls.test(text);
    switch (told.event) {
      case "message":
        return item({ ...base, kind: "said", mine, callsMe });
      case "whisper":
        return item({ ...base, kind: "said", mine });
      case "action":
        return item({ ...base, kind: "action", mine, callsMe });
      case "rename":
      case "topic":
      case "notice":
        return item({ ...base, kind: told.event, mine });
      case "file":
        return item({ ...base, kind: "file", mine, text: told.file?.name ?? "", file: told.file });
      case "delete":
        return item({ ...base, kind: "delete", mine, text: told.name });
      default: {
        const decision = decided(told);
        return decision ? item({ ...base, kind: "notice", text: decision }) : null;
      }
    }
  }

  /** @param {Happened} told */
  #toMe(told) {
    const line = this.#line(told);
    if (!line) return;
    if (told.event === "whisper") this.#add(this.#with(told), line, !line.mine && !this.#read.has("@", told.id));
    else {
      this.here?.append(line);
      if (this.here) this.onNews(this.here, line);
    }
  }

  /** @param {Happened} told @param {Conversation} room */
  #inRoom(told, room) {
    const { from, to, text } = told;
    const live = !told.replayed;
    const isMine = this.isMe(from);
    if (told.event === "join" && live) {
      room.joined(from, told.account);
      if (isMine) this.#catchingUp.delete(room.key);
      else room.pass(told.time, { nick: from, what: "joined", why: "" });
    } else if (told.event === "leave" && live) {
      if (isMine && room.entered) this.#leave(room.key);
      else if (!isMine) {
        room.left(from);
        room.pass(told.time, { nick: from, what: "left", why: told.reason });
      }
    } else if (told.event === "away") {
      room.away(from, text);
      if (live && !isMine) room.pass(told.time, { nick: from, what: text ? "away" : "back", why: text });
    } else if (told.event === "role") {
      room.role(to, told.role);
    } else if (told.event === "mute" || told.event === "unmute") {
      room.mute(to, told.event === "mute");
    } else if (told.event === "ban" || told.event === "unban") {
      room.ban(told);
    } else if (told.event === "topic") {
      room.topic = text;
    } else if (told.event === "rename" && live) {
      this.#renamed(from, to, room);
    }
    const line = this.#line(told);
    if (!line) return;
    if (told.event === "delete") room.gone(told.of);
    if (isTalk(line)) room.spoke(from);
    const isNew = isTalk(line) && !line.mine && !this.#read.has(room.key, line.id);
    if (live || this.#catchingUp.has(room.key)) this.#add(room, line, isNew);
    else this.#addOld(room, line, isNew && this.#read.of(room.key) !== undefined);
  }

  /** @param {string} old @param {string} nick @param {Conversation} room */
  #renamed(old, nick, room) {
    room.renamed(old, nick);
    if (this.isMe(old)) this.#be(nick);
    const whispers = this.conversations.get("@" + fold(old));
    if (!whispers || this.conversations.has("@" + fold(nick))) return;
    this.conversations.delete(whispers.key);
    const isShown = this.current === whispers.key;
    whispers.name = nick;
    this.conversations.set(whispers.key, whispers);
    if (isShown) this.current = whispers.key;
  }

  /** A line of the history that one is shown on coming: the rule "new" stands where it was not read. @param {Conversation} room @param {Item} line @param {boolean} isUnread */
  #addOld(room, line, isUnread) {
    room.append(line);
    if (!isUnread) return;
    room.unread++;
    if (line.callsMe) room.mentions++;
    room.mark ||= line.id;
  }

  /** @param {Conversation} conversation @param {Item} line @param {boolean} isNews */
  #add(conversation, line, isNews) {
    conversation.append(line);
    const isRead = this.reading && conversation.key === this.current && conversation.isCaughtUp;
    conversation.trim(this.follows || this.current !== conversation.key);
    if (!isNews) return;
    if (!isRead) {
      conversation.unread++;
      if (line.callsMe || !conversation.isRoom) conversation.mentions++;
      conversation.mark ||= line.id;
    }
    this.onNews(conversation, line);
  }
}
