// The list of rooms and whispers, with what is unread.
import { byId, h, icon } from "./dom.js";
import { counted } from "./wording.js";

/** @typedef {import("./conversation.js").Conversation} Conversation */

export class Rooms {
  #nav = byId("rooms-nav");
  #drawn = "";

  /** @param {{find(): void}} acts */
  constructor(acts) {
    this.acts = acts;
    this.#nav.addEventListener("keydown", (event) => {
      const links = [...this.#nav.querySelectorAll("a.ent")];
      const at = links.indexOf(/** @type {Element} */ (event.target));
      const next = { ArrowDown: links[at + 1], ArrowUp: links[at - 1], Home: links[0], End: links.at(-1) }[event.key];
      if (at < 0 || event.altKey || !(next instanceof HTMLElement)) return;
      event.preventDefault();
      next.focus();
    });
  }

  /**
   * @param {import("./model.js").Model} model @param {(conversation: Conversation) => string} level
   * @param {Record<string, string>} drafts
   */
  show(model, level, drafts) {
    const entries = [...model.rooms, ...model.whispers].map((each) => {
      const person = each.isRoom ? null : model.person(each.name);
      const dot = each.isRoom ? "" : !person ? "off" : !person.connected ? "lost" : person.away ? "away" : "here";
      const isCurrent = each.key === model.current;
      return { each, isCurrent, dot, muted: level(each) === "off", draft: !isCurrent && !!drafts[each.key] };
    });
    const drawn = JSON.stringify(entries.map(({ each, ...rest }) => [each.title, each.unread, each.mentions, rest]));
    if (drawn === this.#drawn) return;
    this.#drawn = drawn;
    const focused = document.activeElement?.closest("#rooms-nav a")?.getAttribute("href");
    const links = entries.map((entry) => this.#entry(entry));
    const stop = links.find((each) => each.hasAttribute("aria-current")) ?? links[0];
    for (const each of links) each.tabIndex = each === stop ? 0 : -1;
    const cut = model.rooms.length;
    this.#nav.replaceChildren(
      ...this.#group("Rooms", "Find or make a room", links.slice(0, cut)),
      ...this.#group("Whispers", "Whisper to somebody", links.slice(cut)),
    );
    if (focused) links.find((each) => each.getAttribute("href") === focused)?.focus();
  }

  /** @param {string} title @param {string} find @param {HTMLElement[]} links */
  #group(title, find, links) {
    const id = `group-${title.toLowerCase()}`;
    return [
      h("div", { class: "group" }, h("h3", { id }, title),
        h("button", { type: "button", class: "ib", "aria-label": find, title: find, onclick: () => this.acts.find() }, icon("plus", "s"))),
      h("ul", { "aria-labelledby": id }, ...links.map((each) => h("li", {}, each))),
    ];
  }

  /** @param {{each: Conversation, isCurrent: boolean, dot: string, muted: boolean, draft: boolean}} entry */
  #entry({ each, isCurrent, dot, muted, draft }) {
    const count = muted ? 0 : each.mentions || each.unread;
    const kind = muted ? " muted" : count ? " unread" : "";
    const what = each.mentions && each.isRoom ? counted(count, "mention") : `${count} unread`;
    return h("a", { class: `ent${kind}`, href: address(each.title), "aria-current": isCurrent && "page", title: each.name.length > 18 && each.name },
      dot && h("span", { class: `dot ${dot}` }),
      h("span", { class: "nm" }, title(each)),
      count > 0 && h("span", { class: each.mentions ? "n at" : "n" },
        h("span", { "aria-hidden": "true" }, count > 999 ? "999+" : String(count)), h("span", { class: "vh" }, what)),
      draft && icon("pen", "s", "has a draft"),
      muted && icon("belloff", "s", "muted"));
  }
}

/** @param {Conversation} each */
export function title(each) {
  return each.isRoom ? h("bdi", {}, h("span", { class: "hash" }, "#"), each.name.slice(1)) : h("bdi", {}, each.name);
}

/** @param {string} title */
export const address = (title) => "#" + encodeURIComponent(title.replace(/^#/u, "")).replace("%40", "@");

/** The room or @nickname that an address names; empty for none. @param {string} hash */
export function addressed(hash) {
  try {
    const name = decodeURIComponent(hash.replace(/^#/u, ""));
    return name && !/[\s\p{Cc}]/u.test(name) ? (/^[@#]/u.test(name) ? name : "#" + name) : "";
  } catch {
    return "";
  }
}
