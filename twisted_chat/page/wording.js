// The page's own words, times and counts. What the server says is shown as it is.

/** @param {number} count @param {string} one @param {string} [many] */
export const counted = (count, one, many = one + "s") => `${count.toLocaleString("en")} ${count === 1 ? one : many}`;

const CLOCK = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
const DAY = new Intl.DateTimeFormat("en-GB", { weekday: "long", day: "numeric", month: "long" });
const YEAR = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "long", year: "numeric" });
const EXACT = new Intl.DateTimeFormat("en-GB", { dateStyle: "full", timeStyle: "medium" });

/** @param {number} time */
export const clock = (time) => CLOCK.format(time);
/** @param {number} time */
export const exact = (time) => EXACT.format(time);
/** A day, the same text for the same day only. @param {number} time */
export const dayOf = (time) => Math.floor((time - new Date(time).getTimezoneOffset() * 60_000) / 86_400_000);

/** @param {number} time @param {number} now */
export function day(time, now = Date.now()) {
  const ago = dayOf(now) - dayOf(time);
  if (ago === 0) return "Today";
  if (ago === 1) return "Yesterday";
  return ago < 300 ? DAY.format(time) : YEAR.format(time);
}

/** `999 bytes`, `12 kB`, `1.2 MB`. @param {number} bytes */
export function sizeOf(bytes) {
  if (bytes < 1000) return counted(bytes, "byte");
  let [size, unit] = [bytes / 1000, "kB"];
  for (const larger of ["MB", "GB"]) if (size >= 999.5) [size, unit] = [size / 1000, larger];
  return `${size.toFixed(size < 9.95 ? 1 : 0)} ${unit}`;
}

/** @param {import("./conversation.js").Traffic[]} traffic */
export function passing(traffic) {
  /** @type {Map<string, {what: string, why: string}>} */
  const last = new Map();
  for (const { nick, what, why } of traffic) {
    last.delete(nick);
    last.set(nick, { what, why });
  }
  const said = { joined: "joined", left: "left", away: "away", back: "back" };
  return Object.entries(said)
    .map(([what, verb]) => {
      const who = [...last].filter(([, each]) => each.what === what).map(([nick]) => isolated(nick));
      const be = who.length > 1 ? "are " : "is ";
      return who.length ? `${several(who)} ${what === "away" || what === "back" ? be : ""}${verb}` : "";
    })
    .filter(Boolean)
    .join(", ");
}

/** @param {import("./conversation.js").Traffic} one */
export function passed({ nick, what, why }) {
  const verb = { joined: "joined", left: "left", away: "is away", back: "is back" }[what];
  return `${isolated(nick)} ${verb}${why ? (what === "left" ? ` (${why})` : `: ${why}`) : ""}`;
}

/** A name that keeps to itself in text of another direction. @param {string} name */
export const isolated = (name) => `\u2068${name}\u2069`;

/** @param {string[]} names */
export function several(names) {
  if (names.length > 3) return `${names.slice(0, 2).join(", ")} and ${names.length - 2} others`;
  return names.length > 1 ? `${names.slice(0, -1).join(", ")} and ${names.at(-1)}` : names.join("");
}

/** @param {number} waiting @param {number} seconds */
export function offline(waiting, seconds) {
  const lines = waiting ? `${counted(waiting, "line")} waiting, ` : "";
  return `${lines}next try in ${Math.max(1, Math.ceil(seconds))} s.`;
}
