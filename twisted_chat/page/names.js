// When two names are the same, the colour of a name, and whether a text calls somebody.

/** What makes two names the same. @param {string} name */
export function fold(name) {
  return name.replace(/[\u200c\u200d]/g, "").normalize("NFKC").toUpperCase().toLowerCase().normalize("NFKC");
}

/** One of twelve colours, always the same one for a name. @param {string} name */
export function hue(name) {
  let sum = 7;
  for (const letter of fold(name)) sum = (sum * 31 + (letter.codePointAt(0) ?? 0)) >>> 0;
  return sum % 12;
}

/** Finds a nickname as a whole word. @param {string} nick */
export function caller(nick) {
  if (!nick) return /(?!)/u;
  const word = nick.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&");
  return new RegExp(`(?<![\\p{L}\\p{M}\\p{N}_])@?${word}(?![\\p{L}\\p{M}\\p{N}_])`, "iu");
}
