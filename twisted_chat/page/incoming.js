// What the server says, read with mistrust: checked types, and nothing throws.

/**
 * Something that happened, live or `replayed`.
 * @typedef {{
 *   event: "message" | "action" | "whisper" | "rename" | "topic" | "join" | "leave" | "away" | "notice" | "hidden" | "file" | "delete" | Decision,
 *   id: number, time: number, room: string, from: string, to: string, text: string, reason: string,
 *   ref: string, replayed: boolean, account: boolean, role: string, target: string, until: number,
 *   setting: string, value: string, what: string, people: string[],
 *   file: import("./conversation.js").Sent | null, name: string, of: number,
 * }} Happened
 * @typedef {"role" | "kick" | "mute" | "unmute" | "invite" | "ban" | "unban" | "setting" | "close" | "hands"} Decision
 * @typedef {{name: string, usage: string, aliases: string[], help: string}} Command
 * @typedef {{nick: string, away: string, role: string, connected: boolean, account: boolean, muted: boolean}} Member
 * @typedef {{
 *   event: "welcome", nick: string, account: string, session: string, resumed: boolean, server: string, epoch: string,
 *   motd: string[], commands: Command[], rooms: string[] | null, ignored: string[], lineBytes: number, fileSize: number, read: Read[],
 *   addresses: string[],
 * }} Welcome `fileSize`: 0 where no files are taken; `addresses`: where else the chat is
 * @typedef {{event: "read", room: string, id: number}} Read
 * @typedef {{event: "state", room: string, topic: string, members: Member[], count: number}} State
 * @typedef {{event: "answer", ref: string, lines: string[], url: string}} Answer
 * @typedef {{event: "error", ref: string, code: string, text: string, wait: number | null}} Refusal
 * @typedef {{event: "missed", room: string, count: number, kept: boolean}} Missed
 * @typedef {{event: "history", ref: string, room: string, events: Happened[], more: boolean}} Page
 * @typedef {{event: "pong"}} Pong
 * @typedef {Happened | Welcome | State | Answer | Refusal | Missed | Page | Pong | Read} Incoming
 * @typedef {Record<string, unknown>} Thing
 */

const KINDS = new Set(
  "message action whisper rename topic join leave away notice hidden file delete role kick mute unmute invite ban unban setting close hands".split(" "),
);

/** What a line says; null if nothing that a page could use. @param {unknown} line @returns {Incoming | null} */
export function read(line) {
  try {
    return understand(JSON.parse(String(line)));
  } catch {
    return null;
  }
}

/** @param {unknown} value @returns {Incoming | null} */
function understand(value) {
  if (!isThing(value)) return null;
  const ref = text(value, "ref");
  const room = text(value, "room") || "@";
  switch (value.event) {
    case "welcome":
      return {
        event: "welcome",
        nick: text(value, "nick"),
        account: text(value, "account"),
        session: text(value, "session"),
        resumed: value.resumed === true,
        server: text(value, "server"),
        epoch: text(value, "epoch"),
        motd: texts(value, "motd"),
        commands: things(value, "commands").map(command).filter((each) => each.name.startsWith("/")),
        ignored: texts(value, "ignored"),
        addresses: texts(value, "addresses"),
        rooms: Array.isArray(value.rooms) ? texts(value, "rooms") : null,
        read: Object.keys(isThing(value.read) ? value.read : {}).map((name) => ({ event: "read", room: name, id: whole(/** @type {Thing} */ (value.read), name) })),
        lineBytes: (isThing(value.limits) && whole(value.limits, "line_bytes")) || 2000,
        fileSize: isThing(value.limits) ? whole(value.limits, "file_size") : 0,
      };
    case "state": {
      const members = things(value, "members").map(member).filter((each) => each.nick);
      const count = Math.max(whole(value, "count"), members.length);
      return { event: "state", room, topic: text(value, "topic"), members, count };
    }
    case "answer":
      return { event: "answer", ref, lines: texts(value, "lines"), url: text(value, "url") };
    case "error": {
      const wait = typeof value.wait === "number" && value.wait >= 0 ? value.wait : null;
      return { event: "error", ref, code: text(value, "code"), text: text(value, "text"), wait };
    }
    case "missed":
      return { event: "missed", room, count: whole(value, "count"), kept: value.kept === true };
    case "history": {
      const events = things(value, "events").map(happened).filter((each) => each !== null);
      return { event: "history", ref, room, events, more: value.more === true };
    }
    case "pong":
      return { event: "pong" };
    case "read":
      return { event: "read", room, id: whole(value, "id") };
    default:
      return happened(value);
  }
}

/** @param {Thing} thing @returns {Happened | null} */
function happened(thing) {
  const event = text(thing, "event");
  const id = whole(thing, "id");
  const time = Date.parse(text(thing, "time"));
  if (Number.isNaN(time) || !(KINDS.has(event) || id)) return null;
  return {
    event: /** @type {Happened["event"]} */ (KINDS.has(event) ? event : "hidden"), // an unknown one counts too
    id,
    time,
    room: text(thing, "room") || "@",
    from: text(thing, "from"),
    to: text(thing, "to"),
    text: text(thing, "text"),
    reason: text(thing, "reason"),
    ref: text(thing, "ref"),
    replayed: thing.replayed === true,
    account: text(thing, "account") !== "",
    role: text(thing, "role"),
    target: text(thing, "target"),
    until: Date.parse(text(thing, "until")) || 0,
    setting: text(thing, "setting"),
    value: text(thing, "value"),
    what: text(thing, "what"),
    people: texts(thing, "people"),
    file: event === "file" ? sent(thing) : null,
    name: text(thing, "name"),
    of: whole(thing, "of"),
  };
}

/** A file, which is fetched from this very origin, whatever the server calls itself. @param {Thing} thing */
function sent(thing) {
  const [path] = /\/file\/[\w-]{22}\/[^/?#]*$/u.exec(text(thing, "url")) ?? [""];
  return { name: text(thing, "name"), type: text(thing, "type"), size: whole(thing, "size"), path };
}

/** @param {unknown} value @returns {value is Thing} */
const isThing = (value) => typeof value === "object" && value !== null && !Array.isArray(value);

/** @param {Thing} thing @param {string} name */
function text(thing, name) {
  const value = thing[name];
  return typeof value === "string" ? value : "";
}

/** @param {Thing} thing @param {string} name @returns {string[]} */
function texts(thing, name) {
  const value = thing[name];
  return Array.isArray(value) ? value.filter((each) => typeof each === "string") : [];
}

/** @param {Thing} thing @param {string} name @returns {Thing[]} */
function things(thing, name) {
  const value = thing[name];
  return Array.isArray(value) ? value.filter(isThing) : [];
}

/** @param {Thing} thing @param {string} name */
function whole(thing, name) {
  const value = thing[name];
  return typeof value === "number" && Number.isSafeInteger(value) && value > 0 ? value : 0;
}

/** @param {Thing} thing @returns {Member} */
function member(thing) {
  return {
    nick: text(thing, "nick"),
    away: text(thing, "away"),
    role: text(thing, "role") || "member",
    connected: thing.connected !== false,
    account: text(thing, "account") !== "",
    muted: thing.muted === true,
  };
}

/** @param {Thing} thing @returns {Command} */
function command(thing) {
  return {
    name: text(thing, "name"),
    usage: text(thing, "usage"),
    aliases: texts(thing, "aliases"),
    help: text(thing, "help"),
  };
}
