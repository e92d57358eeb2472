// When two names are the same, the colour of a name, and whether a text calls somebody.

/** What makes two names the same. @param {string} name */
export function fold(name) {
  return name.replace(/[\u200c\u200d]/g, "").normalize("NFKC").toUpperCase().toLowerCase().normalize("NFKC");
}

/** One of twelve colours, always the same one for a name. @param {string} name */
export function hue(name) {
  let sum = 0x811c9dc5;
  for (const letter of fold(name)) sum = Math.imul(sum ^ (letter.codePointAt(0) ?? 0), 0x01000193);
  sum ^= sum >>> 15;
  return (sum >>> 0) % 12;
}

/** Finds a nickname as a whole word. @param {string} nick */
export function caller(nick) {
  if (!nick) return /(?!)/u;
  const word = nick.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&");
  return new RegExp(`(?<![\\p{L}\\p{M}\\p{N}_])@?${word}(?![\\p{L}\\p{M}\\p{N}_])`, "iu");
}
