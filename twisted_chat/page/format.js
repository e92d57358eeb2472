// A text in its parts: links, code between backticks, and a name that is called. Never markup.

/** @typedef {{kind: "text" | "code" | "link" | "name", text: string}} Part */

const CODE = /(`+)(?!`)(.+?)(?<!`)\1(?!`)/gsu;
const LINK = /\bhttps?:\/\/[^\s<>"'`\u2066-\u2069\u202a-\u202e]+/giu;

/** @param {string} text @param {RegExp} calls what calls the reader @returns {Part[]} */
export function parts(text, calls) {
  return split(text, CODE, (match) => ({ kind: "code", text: match[2] }))
    .flatMap((part) => (part.kind === "text" ? links(part.text) : [part]))
    .flatMap((part) => {
      if (part.kind !== "text") return [part];
      return split(part.text, new RegExp(calls.source, "giu"), (match) => ({ kind: "name", text: match[0] }));
    });
}

/** @param {string} text @returns {Part[]} */
function links(text) {
  /** @type {Part[]} */
  const found = [];
  let from = 0;
  for (const match of text.matchAll(LINK)) {
    const url = bare(match[0]);
    if (!isAddress(url)) continue;
    if (match.index > from) found.push({ kind: "text", text: text.slice(from, match.index) });
    found.push({ kind: "link", text: url });
    from = match.index + url.length;
  }
  if (from < text.length) found.push({ kind: "text", text: text.slice(from) });
  return found;
}

/** An address without what belongs to the sentence around it. @param {string} url */
function bare(url) {
  for (;;) {
    const end = url.at(-1) ?? "";
    const opening = { ")": "(", "]": "[", "}": "{" }[end];
    if (opening ? url.split(opening).length < url.split(end).length : /[.,;:!?…。、」』]/u.test(end)) url = url.slice(0, -1);
    else return url;
  }
}

/** @param {string} url */
function isAddress(url) {
  try {
    return new URL(url).hostname !== "";
  } catch {
    return false;
  }
}

/** @param {string} text @param {RegExp} pattern @param {(match: RegExpMatchArray) => Part} make @returns {Part[]} */
function split(text, pattern, make) {
  /** @type {Part[]} */
  const found = [];
  let from = 0;
  for (const match of text.matchAll(pattern)) {
    if (!match[0]) continue;
    if (match.index > from) found.push({ kind: "text", text: text.slice(from, match.index) });
    found.push(make(match));
    from = match.index + match[0].length;
  }
  if (from < text.length) found.push({ kind: "text", text: text.slice(from) });
  return found;
}
