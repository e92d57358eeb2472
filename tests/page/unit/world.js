// A clock that one winds on, a server as the protocol describes it, and connections that break.
import { Client } from "../../../twisted_chat/page/client.js";
import { Connection } from "../../../twisted_chat/page/connection.js";

/** Numbers that are the same for a seed. @param {number} seed */
export function chance(seed) {
  let state = seed + 0x6d2b79f5;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Where the page is from. */
export const HOME = "https://home.example";

export class FakeClock {
  time = 1_700_000_000_000;
  /** @type {{at: number, act: () => void}[]} */
  timers = [];
  now = () => this.time;
  random = () => 0.5;
  /** @param {() => void} act @param {number} ms */
  later = (act, ms) => {
    const timer = { at: this.time + ms, act };
    this.timers.push(timer);
    return () => {
      this.timers = this.timers.filter((each) => each !== timer);
    };
  };

  /** @param {number} ms */
  advance(ms) {
    const until = this.time + ms;
    for (;;) {
      const next = this.timers.filter((each) => each.at <= until).sort((a, b) => a.at - b.at)[0];
      if (!next) break;
      this.timers = this.timers.filter((each) => each !== next);
      this.time = Math.max(this.time, next.at);
      next.act();
    }
    this.time = until;
  }

  /** The machine sleeps: time passes, and no timer rings. @param {number} ms */
  sleep(ms) {
    this.time += ms;
  }
}

/**
 * @typedef {{id: number, event: string, from: string, text: string, to?: string}} Stored
 * @typedef {{nick: string, rooms: Map<string, number>, own: Stored[], refs: Set<string>, read: Map<string, number>, account?: boolean}} Person
 */

export class Server {
  isUp = true;
  /** The addresses where nobody answers. @type {Set<string>} */
  dead = new Set();
  /** What it tells of them. @type {string[]} */
  addresses = [];
  epoch = "e1";
  /** Events of a room that are shown to who enters it. */
  entry = 5;
  /** @type {Map<string, Stored[]>} */
  logs = new Map([["#lobby", []]]);
  /** @type {Map<string, Person>} */
  sessions = new Map();
  /** @type {Set<Link>} */
  links = new Set();
  #tokens = 0;

  /** @param {string} room */
  log(room) {
    const log = this.logs.get(room) ?? [];
    this.logs.set(room, log);
    return log;
  }

  /** @param {string} from @param {string} room @param {string} text @param {string} [ref] */
  say(from, room, text, ref) {
    const log = this.log(room);
    const stored = { id: log.length + 1, event: "message", from, text };
    log.push(stored);
    for (const link of this.links) if (link.person?.rooms.has(room)) link.tell(room, stored, from === link.person.nick ? ref : undefined);
    return stored.id;
  }

  /** @param {string} from @param {Person} to @param {string} text */
  whisper(from, to, text) {
    const stored = { id: to.own.length + 1, event: "whisper", from, to: to.nick, text };
    to.own.push(stored);
    for (const link of this.links) if (link.person === to) link.tell("@", stored);
  }

  /** Every connection breaks, with whatever is on its way. */
  cut() {
    for (const link of [...this.links]) link.cut();
  }

  /** The server has forgotten who was here. */
  forget() {
    this.cut();
    this.sessions.clear();
  }

  token() {
    return `token-${++this.#tokens}`;
  }
}

const TIME = "2026-11-20T12:35:02.123Z";

/** One WebSocket, both ends. @implements {Socket} */
export class Link {
  /** @type {(() => void) | null} */
  onopen = null;
  /** @type {(() => void) | null} */
  onclose = null;
  /** @type {((event: {data: unknown}) => void) | null} */
  onmessage = null;
  /** @type {Person | null} */
  person = null;
  /** @type {object[]} */
  toServer = [];
  /** @type {string[]} */
  toClient = [];
  isOpen = false;

  /** @param {Server} server @param {string} at its address */
  constructor(server, at = HOME) {
    this.server = server;
    this.at = at;
    server.links.add(this);
  }

  /** @param {string} text */
  send(text) {
    this.toServer.push(JSON.parse(text));
  }

  close() {
    this.server.links.delete(this);
  }

  cut() {
    this.server.links.delete(this);
    this.isOpen = false;
    this.onclose?.();
  }

  /** Carry one thing, if there is one. */
  step() {
    if (!this.server.links.has(this)) return false;
    if (!this.server.isUp || this.server.dead.has(this.at)) {
      this.cut();
      return true;
    }
    if (!this.isOpen) {
      this.isOpen = true;
      this.onopen?.();
      return true;
    }
    const asked = this.toServer.shift();
    if (asked) {
      this.#hear(/** @type {any} */ (asked));
      return true;
    }
    const told = this.toClient.shift();
    if (told) this.onmessage?.({ data: told });
    return told !== undefined;
  }

  /** @param {object} thing */
  write(thing) {
    this.toClient.push(JSON.stringify(thing));
  }

  /** @param {string} room @param {Stored} stored @param {string} [ref] @param {boolean} [replayed] */
  tell(room, stored, ref, replayed = false) {
    this.write({ ...stored, room, time: TIME, ...(ref && { ref }), ...(replayed && { replayed }) });
  }

  /** @param {any} asked */
  #hear(asked) {
    if (asked.do === "ping") return this.write({ event: "pong" });
    if (asked.do === "hello") return this.#hello(asked);
    const person = this.person;
    if (!person) return;
    if (asked.do === "read") {
      person.read.set(asked.room, asked.id);
      for (const link of this.server.links) if (link.person === person && link !== this) link.write({ event: "read", room: asked.room, id: asked.id });
      return;
    }
    if (asked.do === "history") {
      const log = asked.room === "@" ? person.own : this.server.log(asked.room);
      const before = log.filter((each) => each.id < asked.before);
      const page = before.slice(-3).map((each) => ({ ...each, room: asked.room, time: TIME, replayed: true }));
      return this.write({ event: "history", ref: asked.ref, room: asked.room, events: page, more: before.length > page.length });
    }
    if (person.refs.has(asked.ref)) return this.write({ event: "answer", ref: asked.ref, lines: [] });
    person.refs.add(asked.ref);
    if (asked.do === "say") this.server.say(person.nick, asked.room, asked.text, asked.ref);
    else {
      const [, word, name] = /^\/(\S+)\s*(\S*)/.exec(asked.text) ?? [];
      if (word === "join") this.#enter(name, true);
      this.write({ event: "answer", ref: asked.ref, lines: ["done"] });
    }
  }

  /** @param {any} asked */
  #hello(asked) {
    const known = this.server.sessions.get(asked.session);
    const seen = asked.seen ?? {};
    const token = known ? asked.session : this.server.token();
    const owner = asked.password && [...this.server.sessions.values()].find((each) => each.nick === asked.nick);
    const beside = !known && this.server.sessions.get(asked.beside);
    const person = known ?? (beside || owner || null) ?? { nick: asked.nick, rooms: new Map(), own: [], refs: new Set(), read: new Map() };
    this.server.sessions.set(token, person);
    this.person = person;
    if (owner) person.account = true;
    this.write({
      event: "welcome", nick: person.nick, ...((person.account || owner) && { account: person.nick }), session: token, resumed: !!known, epoch: this.server.epoch, server: "the lab", motd: [],
      commands: [{ name: "/join", usage: "ROOM", help: "enter a room", aliases: ["/j"] }], ...(known && { rooms: [...person.rooms.keys()] }),
      ...(this.server.addresses.length && { addresses: this.server.addresses }), ...(person.read.size && { read: Object.fromEntries(person.read) }),
    });
    if (known) for (const each of person.own) if (each.id > (seen["@"] ?? 0)) this.tell("@", each, undefined, true);
    const rooms = known ? [...person.rooms.keys()] : ["#lobby", ...Object.keys(seen).filter((each) => each !== "#lobby" && each !== "@")];
    for (const room of rooms) {
      const isOld = asked.epoch && asked.epoch !== this.server.epoch;
      if (isOld && room in seen) this.write({ event: "missed", room, count: 0 });
      const last = isOld ? 0 : seen[room];
      if (room in seen) for (const each of this.server.log(room)) if (each.id > last) this.tell(room, each, undefined, true);
      this.#enter(room, !(room in seen));
    }
  }

  /** @param {string} room @param {boolean} isNew */
  #enter(room, isNew) {
    if (isNew) for (const each of this.server.log(room).slice(-this.server.entry)) this.tell(room, each, undefined, true);
    this.person?.rooms.set(room, 0);
    this.write({ event: "state", room, topic: "", members: [{ nick: this.person?.nick, away: null }], count: 1 });
  }
}

/** @typedef {import("../../../twisted_chat/page/connection.js").Socket} Socket */

/** A page at its server. */
export class Visit {
  /** @param {Server} server @param {FakeClock} clock @param {string} name */
  constructor(server, clock, name = "v") {
    this.server = server;
    this.clock = clock;
    /** @type {Link[]} */
    this.links = [];
    const make = (/** @type {string} */ at) => {
      const link = new Link(server, at);
      this.links.push(link);
      return link;
    };
    this.client = new Client(new Connection(make, HOME, clock), name, clock);
  }

  /** @param {string} nick */
  join(nick, room = "#lobby") {
    this.client.join(nick, room);
    this.settle();
    return this;
  }

  /** Come as the owner of a name, over one more device. @param {string} nick */
  logIn(nick) {
    this.client.join(nick, "#lobby", "secret");
    this.settle();
    return this;
  }

  get link() {
    return this.links[this.links.length - 1];
  }

  /** Carry everything that is under way. */
  settle() {
    while (this.link?.step());
  }

  /** Be connected, however long it takes, and hear everything. */
  comeBack() {
    for (let n = 0; n < 200; n++) {
      this.settle();
      this.clock.advance(1000);
    }
    this.settle();
  }

  /** @param {string} key */
  texts(key) {
    return this.client.model.conversations.get(key)?.items.filter((each) => each.kind === "said").map((each) => each.text) ?? [];
  }

  /** The tab is closed and opened again. @param {string} name */
  reload(name) {
    const kept = structuredClone(this.client.keep());
    this.client.connection.close();
    const next = new Visit(this.server, this.clock, name);
    next.client.resume(kept, "");
    return next;
  }
}
