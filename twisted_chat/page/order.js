// What was decided about a room, as a sentence: the words are those that a terminal shows.
import { clock, day, dayOf, isolated, several } from "./wording.js";

/** @typedef {import("./incoming.js").Happened} Happened */

/** @type {Record<string, (to: string, room: string) => string>} */
const ROLES = {
  owner: (to, room) => `made ${to} an owner of ${room}`,
  operator: (to, room) => `made ${to} an operator of ${room}`,
  voiced: (to, room) => `gave ${to} voice in ${room}`,
  member: (to, room) => `made ${to} an ordinary member of ${room}`,
};

/** By the setting, or by it and its value. @type {Record<string, (room: string, value: string) => string>} */
const SETTINGS = {
  "lock invited": (room) => `locked ${room}: only those who are invited can join`,
  "lock key": (room) => `locked ${room} with a key`,
  "lock off": (room) => `unlocked ${room}`,
  "hidden on": (room) => `hid ${room} from /rooms`,
  "hidden off": (room) => `lists ${room} in /rooms again`,
  "moderated on": (room) => `made ${room} moderated: only voiced people can speak`,
  "moderated off": (room) => `lets everybody in ${room} speak`,
  "frozen on": (room) => `froze ${room}: only operators can speak`,
  "frozen off": (room) => `lets everybody in ${room} speak`,
  "slow off": (room) => `took the pace limit from ${room}`,
  slow: (room, value) => `slowed ${room} down to one message every ${value} from each person`,
};

/** What somebody decided; empty for what has no words. @param {Happened} told */
export function decided(told) {
  const [from, to, room] = [isolated(told.from), isolated(told.to), isolated(told.room)];
  const why = told.reason ? `: ${told.reason}` : "";
  switch (told.event) {
    case "role":
      if (told.from === told.to && told.role === "owner") return `${from} is the owner of ${room}`;
      return `${from} ${ROLES[told.role]?.(to, room) ?? `changed the role of ${to} in ${room}`}`;
    case "kick":
      return `${from} removed ${to} from ${room}${why}`;
    case "mute":
      return `${from} muted ${to} in ${room}${until(told)}${why}`;
    case "unmute":
      return `${from} let ${to} speak in ${room} again`;
    case "invite":
      return `${from} invited ${to} to ${room}`;
    case "ban":
      return `${from} banned ${isolated(told.target)} from ${room}${until(told)}${why}`;
    case "unban":
      return `${from} ended the ban of ${isolated(told.target)} from ${room}`;
    case "close":
      return `${from} closed ${room}${why}`;
    case "setting": {
      const { setting, value } = told;
      const words = SETTINGS[`${setting} ${value}`] ?? SETTINGS[setting];
      return `${from} ${words?.(room, value) ?? `changed ${setting} of ${room} to ${value}`}`;
    }
    case "hands":
      return hands(told, from, room);
    default:
      return "";
  }
}

/** @param {Happened} told @param {string} from @param {string} room */
function hands({ what, people, from: sender }, from, room) {
  const who = several(people.map(isolated)) || from;
  const theirs = people.length > 1 ? "their hands" : "a hand";
  const first = people.length ? isolated(people[0]) : from;
  switch (what) {
    case "raised":
      return `${who} raised ${theirs} in ${room}`;
    case "lowered":
      return `${who} lowered ${theirs} in ${room}`;
    case "next":
      return `${from} gives the word to ${first} in ${room}`;
    case "done":
      return people.length && people[0] !== sender ? `${from} ended ${first}'s turn in ${room}` : `${first} has given back the word in ${room}`;
    case "cleared":
      return `${from} lowered all hands in ${room}`;
    default:
      return "";
  }
}

/** @param {Happened} told */
function until({ until: end, time }) {
  if (!end) return "";
  return ` until ${clock(end)}${dayOf(end) === dayOf(time) ? "" : ` on ${day(end)}`}`;
}
