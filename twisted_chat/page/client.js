// The conversation with the server: what one does becomes requests, what it says becomes the model. No DOM.
import { CLOCK } from "./connection.js";
import { Conversation, item } from "./conversation.js";
import { read } from "./incoming.js";
import { LOBBY, Model } from "./model.js";
import { fold } from "./names.js";
import { Outbox } from "./outbox.js";
import { isSecret, shownOf } from "./secrecy.js";

/**
 * @typedef {import("./outbox.js").Line} Line
 * @typedef {{model: import("./model.js").Kept, lines: Line[]}} Kept
 */

const PAGE = 100;
const READ_AT_ONCE = 2; // requests that say what is read: they count as lines that we send
const READ_EVERY = 3000; // milliseconds
const READ = "read"; // the ref of them all: nobody has to know what became of one
const UNSTORED = "That came to nothing: the server did not say why.";

/** Codes of refusals after which the password of a registered name is asked for. */
export const ASKS_PASSWORD = new Set(["registered-nick", "bad-password"]);

export class Client {
  model = new Model();
  /** Whether we have been let in since we connected. */
  isIn = false;
  /** Whether another tab goes on with this session. */
  isReplaced = false;
  /** The session of another device of ours, beside which we may come; empty for none. @type {(name: string) => string} */
  beside = () => "";
  /** Something is different: show it. */
  onChange = () => {};
  /** Not let in. @type {(why: import("./incoming.js").Refusal) => void} */
  onRefused = () => {};
  /** Let in; after a loss, with so many lines to send. @type {(isBack: boolean, waiting: number) => void} */
  onIn = () => {};
  /** We have left for good. */
  onLeft = () => {};
  /** One's own line was refused. @type {(line: Line) => void} */
  onLineRefused = () => {};

  #password = "";
  #remember = false;
  #room = LOBBY;
  #wasIn = false;
  #isLeaving = false;
  #shutdown = "";
  #waiting = 0;
  /** The message of the day, until there is a room to show it in. @type {string[]} */
  #motd = [];
  /** Pages that were asked for, by ref. @type {Map<string, Conversation>} */
  #pages = new Map();
  #number = 0;
  #mayTellRead = true;
  /** Who waits for the address that they have asked for. @type {Map<Line, {done: (url: string) => void, fail: (why: Error) => void}>} */
  #asked = new Map();

  /** @param {import("./connection.js").Connection} connection @param {string} visit differs from visit to visit */
  constructor(connection, visit, clock = CLOCK) {
    this.connection = connection;
    this.clock = clock;
    this.outbox = new Outbox(visit);
    this.visit = visit;
    connection.onUp = () => this.#hello();
    connection.onDown = () => this.#down();
    connection.onLine = (line) => this.#heard(line);
  }

  /** What the server said about its end; empty while it has said nothing. */
  get shutdown() {
    return this.#shutdown;
  }

  // What one does

  /** @param {string} nick @param {string} room @param {string} password @param {boolean} remember */
  join(nick, room, password = "", remember = false) {
    this.model.nick = nick;
    this.#room = room || LOBBY;
    this.#password = password;
    this.#remember = remember;
    this.#isLeaving = this.isReplaced = false;
    if (this.connection.state === "open") this.#hello();
    else this.connection.open();
  }

  /** Come as one more device of an account that another tab has. @param {string} account @param {string} room */
  joinBeside(account, room) {
    this.model.account = account;
    this.join(account, room);
  }

  /** Go on with a session of before. @param {Kept} kept @param {string} room to go to; may be empty */
  resume(kept, room) {
    this.model.restore(kept.model);
    this.outbox.lines = kept.lines.map((line) => (line.state === "sending" ? { ...line, state: "waiting" } : line));
    this.#room = room || this.model.current;
    this.connection.open();
  }

  /** Another tab goes on with our session: owners of an account go on as one more device, all others have to choose. */
  yield() {
    const { account } = this.model;
    this.isReplaced = !account || !this.beside(account);
    this.connection.close();
    this.#down();
    if (this.isReplaced) return;
    this.model.session = "";
    this.connection.open();
  }

  /** Go on here, and no more in the other tab. */
  takeBack() {
    this.isReplaced = false;
    this.connection.open();
  }

  /** @returns {Kept} */
  keep() {
    return { model: this.model.keep(), lines: this.outbox.lines.filter((each) => !each.quiet && !isSecret(each.text)) };
  }

  /** Show a conversation, and enter a room that we are not in. @param {string} title a room's name, or @ and a nickname */
  go(title) {
    if (title.startsWith("@")) this.model.go(this.model.whisper(title.slice(1)).key);
    else if (this.model.conversations.has(fold(title)) || !this.isIn) this.model.go(fold(title));
    else this.#enter(title);
    this.onChange();
  }

  /** Say something in the conversation that is shown, line by line, or do a command. @param {string} typed */
  send(typed) {
    const here = this.model.here;
    if (!here) return;
    const quit = this.model.commands.find((each) => each.name === "/quit");
    const [word] = /^\/\S+/u.exec(typed.toLowerCase()) ?? [];
    if (quit && word && [quit.name, ...quit.aliases].includes(word)) return this.leave(typed);
    for (const line of typed.split(/\r\n|\r|\n/u)) {
      if (line.trim()) this.#send(line.trimEnd(), here, !/[\r\n]/u.test(typed.trim()));
    }
    this.#flush();
    this.onChange();
  }

  /** @param {string} text @param {Conversation} here @param {boolean} alone */
  #send(text, here, alone) {
    const command = alone && /^\s*(\/(?!\/)|@[^\s@])/u.test(text);
    const shown = command ? shownOf(text) : text;
    const place = here.key;
    const room = here.isRoom ? here.name : "";
    if (command) {
      const join = /^\s*\/(?:join|j)\s+(#?\S+)\s*$/iu.exec(text);
      if (join) this.#enter(join[1]);
      else this.outbox.add({ room, place, text: text.trim(), shown, command: true });
      return;
    }
    const said = alone ? text.replace(/^(\s*)\/\//u, "$1/") : text;
    if (here.isRoom) this.outbox.add({ room, place, text: said, shown, command: false });
    else this.outbox.add({ room: "", place, text: `/whisper ${here.name} ${said}`, shown: said, command: true });
  }

  /** Do a command that nobody typed, or that a button stands for. @param {string} text @param {boolean} quiet */
  command(text, quiet = false) {
    const here = this.model.here;
    const room = here?.isRoom ? here.name : "";
    this.outbox.add({ room, place: this.model.current, text, shown: text, command: true, quiet });
    this.#flush();
    this.onChange();
  }

  /** An address to send one file to. @param {string} room @returns {Promise<string>} */
  upload(room) {
    const line = this.outbox.add({ room, place: "", text: "/upload", command: true, quiet: true });
    const asked = new Promise((/** @type {(url: string) => void} */ done, fail) => this.#asked.set(line, { done, fail }));
    this.#flush();
    return asked;
  }

  /** @param {Line} line @param {string} url @param {string} why not */
  #offered(line, url, why) {
    const asked = this.#asked.get(line);
    this.#asked.delete(line);
    if (url) asked?.done(url);
    else asked?.fail(new Error(why || UNSTORED));
  }

  /** @param {string} name */
  #enter(name) {
    const room = name.startsWith("#") ? name : "#" + name;
    if (this.model.conversations.has(fold(room))) this.model.go(fold(room));
    else {
      this.#room = room;
      this.outbox.add({ room: "", place: this.model.current, text: `/join ${room}`, shown: `/join ${room}`, command: true });
      this.#flush();
    }
  }

  /** @param {Line} line */
  again(line) {
    this.outbox.again(line);
    this.#flush();
    this.onChange();
  }

  /** @param {Line} line */
  drop(line) {
    this.outbox.settle(line);
    this.onChange();
  }

  /** Load what was said before what is shown. @param {Conversation} conversation */
  older(conversation) {
    const { span } = conversation;
    if (span.loading || span.complete || !this.isIn) return;
    span.loading = true;
    const ref = `${this.visit}-h${++this.#number}`;
    this.#pages.set(ref, conversation);
    const room = conversation.isRoom ? conversation.name : "@";
    this.connection.send({ do: "history", room, before: span.first, limit: PAGE, ref });
    this.onChange();
  }

  /** Tell our other devices what is read, soon but not often. @param {boolean} isLast whether there is no later */
  tellRead(isLast = false) {
    if (!this.isIn || (!this.#mayTellRead && !isLast)) return;
    const read = this.model.takeRead(READ_AT_ONCE);
    for (const each of read) this.connection.send({ do: "read", ...each, ref: READ });
    if (!read.length) return;
    this.#mayTellRead = false;
    this.clock.later(() => {
      this.#mayTellRead = true;
      this.tellRead();
    }, READ_EVERY);
  }

  /** Leave the chat, and forget the session. @param {string} text the command, which may say why */
  leave(text = "/quit") {
    this.#isLeaving = true;
    this.tellRead(true);
    this.connection.send({ do: "command", text });
    this.clock.later(() => this.connection.close(), 500);
    this.isIn = this.#wasIn = false;
    this.model = new Model();
    this.outbox.lines = [];
    this.onLeft();
  }

  // What the server says

  #hello() {
    const { nick, account, session, seen, epoch } = this.model;
    const hello = { do: "hello", nick };
    const other = account && this.beside(account);
    const before = epoch && (session || other) ? { ...(session && { session }), seen, epoch } : {};
    const password = this.#password ? { password: this.#password, ...(this.#remember && { remember: true }) } : {};
    this.connection.send({ ...hello, ...before, ...(other && other !== session && { beside: other }), ...password });
    this.onChange();
  }

  #down() {
    if (this.#isLeaving) this.connection.close();
    this.#waiting = this.outbox.lines.length;
    this.isIn = false;
    this.outbox.lost();
    for (const each of this.#pages.values()) each.span.loading = false;
    this.#pages.clear();
    this.onChange();
  }

  /** @param {unknown} line */
  #heard(line) {
    const told = read(line);
    if (told) this.#understand(told);
    this.onChange();
  }

  /** @param {import("./incoming.js").Incoming} told */
  #understand(told) {
    switch (told.event) {
      case "welcome":
        this.#welcome(told);
        break;
      case "state":
        this.#state(told);
        break;
      case "answer":
        this.#answered(told);
        break;
      case "error":
        this.#refused(told);
        break;
      case "missed":
        this.model.missed(told);
        break;
      case "history":
        this.#pages.delete(told.ref);
        this.model.older(told);
        break;
      case "read":
        this.model.readElsewhere(told);
        break;
      case "pong":
        break;
      default:
        this.#happened(told);
    }
  }

  /** @param {import("./incoming.js").Welcome} told */
  #welcome(told) {
    this.connection.welcomed();
    this.connection.route.learn(told.addresses);
    this.isIn = true;
    this.isReplaced = false;
    this.#shutdown = "";
    if (!told.resumed) this.outbox.forgotten();
    for (const line of this.#asked.keys()) if (!this.outbox.lines.includes(line)) this.#offered(line, "", "");
    const isFirst = !this.model.epoch;
    if (told.session !== this.model.session) this.model.remembered = this.#remember && !!this.#password;
    this.model.welcome(told);
    this.#password = "";
    this.onIn(this.#wasIn, this.#waiting);
    this.#wasIn = true;
    if (isFirst && told.motd.length) this.#motd = told.motd;
    if (!this.#room) return this.#caughtUp(told.resumed);
    if (this.#room.startsWith("@")) this.go(this.#room);
    else if (this.#room !== LOBBY && !this.model.conversations.has(fold(this.#room))) this.#enter(this.#room);
    else this.model.go(fold(this.#room));
    if (this.model.conversations.has(fold(this.#room))) this.#room = "";
    this.#caughtUp(told.resumed);
  }

  /** Load what a reload has forgotten, and send what waits. @param {boolean} resumed */
  #caughtUp(resumed) {
    const [whispers] = this.model.whispers;
    if (resumed && whispers && this.model.own.first > this.model.own.last) this.older(whispers);
    this.#flush();
  }

  /** @param {import("./incoming.js").State} told */
  #state(told) {
    this.model.state(told);
    if (this.#motd.length && this.model.here) {
      this.model.here.append(item({ kind: "answer", lines: this.#motd }));
      this.#motd = [];
    }
    if (fold(told.room) === fold(this.#room)) {
      this.model.go(fold(told.room));
      this.#room = "";
    }
  }

  /** @param {import("./incoming.js").Answer} told */
  #answered(told) {
    const line = this.outbox.find(told.ref);
    if (!line) return;
    this.outbox.settle(line);
    this.#offered(line, told.url, "");
    if (/^\/register\s/iu.test(line.text)) this.model.account = this.model.nick;
    const ignores = /^\/(un)?ignore (\S+)$/iu.exec(line.text);
    if (ignores) this.model.ignored[ignores[1] ? "delete" : "add"](fold(ignores[2]));
    if (/^\/rooms$/u.test(line.text)) this.model.listRooms(told.lines);
    const joins = /^\/join (\S+)/u.exec(line.text);
    if (joins && this.model.conversations.has(fold(joins[1]))) this.model.go(fold(joins[1]));
    const place = this.model.conversations.get(line.place) ?? this.model.here;
    if (!line.quiet && !joins && told.lines.length && place) {
      const text = line.text === line.shown ? line.shown : "";
      place.append(item({ kind: "answer", text, lines: told.lines, mine: true }));
    }
    this.#flush();
  }

  /** @param {import("./incoming.js").Refusal} told */
  #refused(told) {
    const line = this.outbox.find(told.ref);
    const page = this.#pages.get(told.ref);
    if (told.ref === READ) return; // such as of a room that we have just been removed from
    if (page) {
      this.#pages.delete(told.ref);
      const wait = (told.wait ?? 5) * 1000;
      this.clock.later(() => {
        page.span.loading = false;
        this.onChange();
      }, wait);
    } else if (line && told.wait !== null && told.code === "too-fast" && !/^\/(nick|join)/u.test(line.text)) {
      this.outbox.slow(line);
      this.clock.later(() => this.#flush(), told.wait * 1000);
    } else if (line) {
      this.outbox.refuse(line, told.text || UNSTORED);
      this.#offered(line, "", told.text);
      if (!line.quiet) this.onLineRefused(line);
      this.#flush();
    } else if (told.code === "replaced") {
      this.yield();
    } else if (told.code === "logged-out") {
      this.model.account = ""; // so nor does another tab let us in again
    } else if (told.code === "closing") {
      this.#shutdown = told.text;
    } else if (!this.isIn) {
      if (told.wait !== null && told.code === "too-fast" && this.model.session) return; // the next try is later
      if (!ASKS_PASSWORD.has(told.code)) this.model.session = "";
      this.onRefused(told);
    } else this.model.here?.append(item({ kind: "notice", text: told.text }));
  }

  /** @param {import("./incoming.js").Happened} told */
  #happened(told) {
    const line = this.outbox.find(told.ref);
    const { here } = this.model;
    this.model.happened(told);
    if (told.event === "whisper" && told.ref && !told.replayed && here?.isRoom) {
      here.append(item({ kind: "answer", to: told.to, lines: [`Whispered to ${told.to}.`], mine: true }));
    }
    if (line?.command) line.echoed = true;
    else if (line) this.outbox.settle(line);
    this.#flush();
  }

  #flush() {
    if (!this.isIn) return;
    for (const line of this.outbox.due()) this.connection.send(Outbox.request(line));
  }
}
