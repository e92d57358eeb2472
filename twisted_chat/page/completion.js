// What may stand where one types: names after @, rooms after #, commands after /, and what they want.
import { fold } from "./names.js";

/**
 * @typedef {{insert: string, label: string, usage: string, help: string}} Choice
 * @typedef {{from: number, to: number, caption: string, choices: Choice[]}} Completion
 * @typedef {{
 *   commands: import("./incoming.js").Command[], people: {nick: string, away: string}[],
 *   rooms: {name: string, topic: string}[],
 * }} Known
 */

const MOST = 8;

/** @param {string} text @param {number} at where the cursor is @param {Known} known @returns {Completion | null} */
export function complete(text, at, known) {
  const before = text.slice(0, at);
  const word = /\S*$/u.exec(before)?.[0] ?? "";
  const from = at - word.length;
  const command = /^\/(?!\/)(\S*)(\s*)/u.exec(text);
  if (command && from === 0) {
    return offer(from, at, `Commands that begin with ${word}`, commands(word, known));
  }
  const wanted = command ? argument(text, before, known) : "";
  if (word.startsWith("#") || wanted === "ROOM") return offer(from, at, "Rooms", rooms(word, known));
  if (wanted === "COMMAND") return offer(from, at, "Commands", commands("/" + word.replace(/^\//, ""), known));
  if (word.startsWith("@") || (wanted === "NICK" && word)) {
    const at_ = word.startsWith("@") && !command ? "@" : "";
    return offer(from, at, "People, latest speaker first", people(word.replace(/^@/, ""), at_, known));
  }
  return null;
}

/** The command that a text begins with. @param {string} text @param {Known} known */
export function commandOf(text, known) {
  const name = /^\/[^/\s]\S*/u.exec(text)?.[0].toLowerCase();
  return name ? known.commands.find((each) => each.name === name || each.aliases.includes(name)) : undefined;
}

/** What a command wants where the cursor is. @param {string} text @param {string} before @param {Known} known */
function argument(text, before, known) {
  const place = before.split(/\s+/u).length - 2;
  const wants = commandOf(text, known)?.usage.split(/\s+/u) ?? [];
  return /NICK|ROOM|COMMAND/u.exec(wants[place] ?? "")?.[0] ?? "";
}

/** @param {number} from @param {number} to @param {string} caption @param {Choice[]} choices @returns {Completion | null} */
function offer(from, to, caption, choices) {
  return choices.length ? { from, to, caption, choices: choices.slice(0, MOST) } : null;
}

/** @param {string} start @param {Known} known @returns {Choice[]} */
function commands(start, known) {
  const begins = (/** @type {string} */ name) => name.startsWith(start.toLowerCase());
  return known.commands
    .filter((each) => begins(each.name) || (start.length > 1 && each.aliases.some(begins)))
    .sort((a, b) => Number(begins(b.name)) - Number(begins(a.name)))
    .map(({ name, usage, help }) => ({ insert: name + (usage ? " " : ""), label: name, usage, help }));
}

/** @param {string} start @param {Known} known @returns {Choice[]} */
function rooms(start, known) {
  const begins = fold(start.replace(/^#?/u, "#"));
  return known.rooms
    .filter((each) => fold(each.name).startsWith(begins))
    .map(({ name, topic }) => ({ insert: name + " ", label: name, usage: "", help: topic }));
}

/** @param {string} start @param {string} mark @param {Known} known @returns {Choice[]} */
function people(start, mark, known) {
  return known.people
    .filter((each) => fold(each.nick).startsWith(fold(start)))
    .map(({ nick, away }) => ({ insert: mark + nick + " ", label: nick, usage: "", help: away && `away: ${away}` }));
}
