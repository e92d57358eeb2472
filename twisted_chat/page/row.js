// One row of the stream: what somebody said, what happened, an answer, or my line that is not stored yet.
import { h, icon } from "./dom.js";
import { parts } from "./format.js";
import { caller, hue } from "./names.js";
import { fileLine, picture } from "./picture.js";
import { clock, exact, passed, passing } from "./wording.js";

/**
 * @typedef {import("./conversation.js").Item} Item
 * @typedef {import("./outbox.js").Line} Line
 * @typedef {{
 *   person(nick: string, anchor: HTMLElement): void, again(line: Line): void, edit(line: Line): void,
 *   drop(line: Line): void, open(title: string): void,
 * }} Acts
 */

const LONG_NAME = 13;

/** @param {Item} item @param {boolean} first of its author's @param {string} me @param {Acts} acts */
export function row(item, first, me, acts) {
  switch (item.kind) {
    case "said":
      return said(item, first, text(item.text, item.mine ? "" : me), acts);
    case "action":
      return bare(item, "act", h("b", { class: `a${hue(item.from)}` }, name(item.from)), " ", ...text(item.text, item.mine ? "" : me));
    case "file":
      return withPicture(said(item, first, item.file ? fileLine(item.file) : [], acts), item);
    case "delete":
      return bare(item, "", bold(item.from), " deleted ", name(item.text));
    case "topic":
      return bare(item, "", bold(item.from), item.text ? ` changed the topic to: ${item.text}` : " took the topic away");
    case "rename":
      return bare(item, "", bold(item.from), " is now known as ", bold(item.to));
    case "traffic":
      return bare(item, "", traffic(item));
    case "answer":
      return answer(item, acts);
    case "gap":
      return h("li", { class: "rule" }, h("span", {}, gap(item.text)));
    default:
      return bare(item, "", item.text);
  }
}

/** @param {Line} line @param {boolean} first @param {string} me @param {Acts} acts */
export function pending(line, first, me, acts) {
  const refused = line.state === "refused";
  const content = [...text(line.shown, "")];
  const state = line.state === "sending"
    ? h("span", { class: "state" }, h("span", { class: "spin", "aria-hidden": "true" }), "sending")
    : h("span", { class: "state" }, icon("clock"), "waiting");
  if (!refused) content.push(" ", state);
  const element = said({ from: me, time: line.at, mine: true, callsMe: false, account: false }, first, content, acts);
  element.classList.add(refused ? "refused" : "waits");
  if (refused) {
    element.lastElementChild?.append(
      h("p", { class: "note" }, icon("stop", "s"), h("span", { dir: "auto" }, `Not sent. ${line.reason}`),
        h("span", { class: "acts" },
          h("button", { type: "button", onclick: () => acts.again(line) }, "Try again"),
          h("button", { type: "button", onclick: () => acts.edit(line) }, "Edit"),
          h("button", { type: "button", onclick: () => acts.drop(line) }, "Drop"))),
    );
  }
  return element;
}

/**
 * @param {Pick<Item, "from" | "time" | "callsMe" | "account" | "mine">} item @param {boolean} first
 * @param {(Node | string)[]} content @param {Acts} acts
 */
function said(item, first, content, acts) {
  const { from } = item;
  const wide = [...from].reduce((sum, each) => sum + (each > "\u2e80" ? 2 : 1), 0) > LONG_NAME;
  const nick = h("button", { type: "button", class: "nick", tabindex: -1 }, from);
  nick.addEventListener("click", () => acts.person(from, nick));
  const by = first
    ? h("span", { class: `who a${hue(from)}` }, nick, item.account && icon("star", "", "registered"))
    : h("span", { class: "vh" }, h("bdi", {}, from), ": ");
  return h("li", { class: `line${first ? " first" : ""}${wide ? " wide" : ""}${item.callsMe ? " names-me" : ""}`, tabindex: -1 },
    h("span", { class: "by" }, by, time(item.time)),
    h("div", { class: "said", dir: "auto" }, h("p", { dir: "auto" }, ...content)));
}

/** @param {Item} item @param {string} kind @param {(Node | string)[]} content */
function bare(item, kind, ...content) {
  return h("li", { class: `line bare ${kind}${item.callsMe ? " names-me" : ""}`, tabindex: -1 },
    h("span", { class: "by" }, time(item.time)), h("div", { class: "said", dir: "auto" }, ...content));
}

/** @param {Item} item @param {Acts} acts */
function answer(item, acts) {
  const open = item.to && h("button", { type: "button", class: "link", onclick: () => acts.open("@" + item.to) }, "Show");
  return bare(item, "answer", item.text && h("code", {}, item.text),
    ...item.lines.map((line) => h("p", { dir: "auto" }, ...text(line, ""), open && " ", open)));
}

/** @param {HTMLElement} element @param {Item} item */
function withPicture(element, item) {
  const box = item.file && picture(item.file);
  if (box) element.querySelector(".said")?.append(box);
  return element;
}

/** @param {Item} item */
function traffic(item) {
  if (item.traffic.length === 1) return passed(item.traffic[0]);
  return h("details", {},
    h("summary", {}, icon("right", "s"), h("span", {}, passing(item.traffic))),
    ...item.traffic.map((each) => h("p", {}, passed(each))));
}

/** @param {string} count */
function gap(count) {
  if (!count) return "What was said before is not kept";
  return count === "1" ? "1 message is not kept any more" : `${Number(count).toLocaleString("en")} messages are not kept any more`;
}

/** @param {number} when */
const time = (when) => h("time", { class: "time", datetime: new Date(when).toISOString(), title: exact(when) }, clock(when));
/** @param {string} nick */
const name = (nick) => h("bdi", {}, nick);
/** @param {string} nick */
const bold = (nick) => h("b", {}, name(nick));

/** @param {string} value @param {string} me @returns {(Node | string)[]} */
function text(value, me) {
  return parts(value, caller(me)).map(({ kind, text }) => {
    if (kind === "link") return h("a", { href: text, target: "_blank", rel: "noopener noreferrer nofollow", tabindex: -1 }, text);
    if (kind === "code") return h("code", { dir: "ltr" }, text);
    if (kind === "name") return h("b", { class: "to" }, text);
    return text;
  });
}
