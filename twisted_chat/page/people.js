// Who is here, by role, and what is known of somebody whom one whispers with.
import { byId, h, icon, say } from "./dom.js";
import { fold, hue } from "./names.js";
import { address } from "./rooms.js";
import { counted } from "./wording.js";

/**
 * @typedef {import("./conversation.js").Conversation} Conversation
 * @typedef {import("./incoming.js").Member} Member
 */

const ROLES = { administrator: "Administrators", owner: "Owner", operator: "Operators", voiced: "Voiced", member: "Here" };

export class People {
  #list = byId("folk");
  #find = byId("find-person", HTMLInputElement);
  #drawn = "";

  /** @param {{person(nick: string, anchor: HTMLElement): void, ignore(nick: string, yes: boolean): void}} acts */
  constructor(acts) {
    this.acts = acts;
    this.#find.addEventListener("input", () => {
      this.#drawn = "";
      this.onFind();
    });
    this.#list.addEventListener("keydown", (event) => {
      const all = [...this.#list.querySelectorAll("button.p")];
      const at = all.indexOf(/** @type {Element} */ (event.target));
      const next = { ArrowDown: all[at + 1], ArrowUp: all[at - 1], Home: all[0], End: all.at(-1) }[event.key];
      if (at < 0 || event.altKey || !(next instanceof HTMLElement)) return;
      event.preventDefault();
      next.focus();
    });
  }

  /** The filter has changed: show the list again. */
  onFind = () => {};

  /** @param {import("./model.js").Model} model */
  show(model) {
    const here = model.here;
    const sought = fold(this.#find.value.trim());
    const versions = model.rooms.map((each) => each.peopleVersion).join();
    const drawn = `${here?.key} ${here?.isRoom ? here.peopleVersion : versions} ${sought} ${model.nick} ${[...model.ignored].join()}`;
    if (drawn === this.#drawn) return;
    this.#drawn = drawn;
    byId("find").hidden = !here?.isRoom || here.count < 8;
    if (here && !here.isRoom) this.#about(here, model);
    else this.#everybody(here, model, sought);
  }

  /** @param {Conversation | undefined} room @param {import("./model.js").Model} model @param {string} sought */
  #everybody(room, model, sought) {
    byId("people-title").replaceChildren("People ", h("span", { class: "num" }, room ? room.count.toLocaleString("en") : ""));
    const people = [...(room?.members.values() ?? [])]
      .filter((each) => !sought || fold(each.nick).includes(sought))
      .sort((a, b) => a.nick.localeCompare(b.nick));
    const groups = Object.entries(ROLES).map(([role, name]) => ({
      name, people: people.filter((each) => (each.role === role || (role === "member" && !(each.role in ROLES))) && !(role === "member" && each.away)),
    }));
    groups.push({ name: "Away", people: people.filter((each) => each.away && !(each.role in ROLES && each.role !== "member")) });
    const focused = document.activeElement?.closest("#folk button.p")?.getAttribute("data-nick");
    const sections = groups.filter((each) => each.people.length).map(({ name, people }) =>
      h("section", {}, h("h3", {}, `${name} `, h("span", { class: "num" }, String(people.length))),
        h("ul", {}, ...people.map((each) => h("li", {}, this.#person(each, model))))));
    const unlisted = room && !sought ? room.count - room.members.size : 0;
    this.#list.replaceChildren(...sections,
      ...(unlisted > 0 ? [h("p", { class: "hint" }, `and ${unlisted.toLocaleString("en")} more`)] : []),
      ...(sought && !people.length ? [h("p", { class: "hint" }, `Nobody here is called ${this.#find.value.trim()}.`)] : []));
    const buttons = [...this.#list.querySelectorAll("button.p")];
    const stop = buttons.find((each) => each.getAttribute("data-nick") === focused) ?? buttons[0];
    for (const each of buttons) each.setAttribute("tabindex", each === stop ? "0" : "-1");
    if (focused && stop instanceof HTMLElement) stop.focus({ preventScroll: true });
  }

  /** @param {Member} person @param {import("./model.js").Model} model */
  #person(person, model) {
    const { nick, away, connected, account } = person;
    const [shape, state] = !connected ? ["lost", "reconnecting"] : away ? ["away", "away"] : ["here", "here"];
    const why = model.isMe(nick) ? "you" : !connected ? "reconnecting" : away === "away" ? "" : away;
    const button = h("button", { type: "button", class: `p${away || !connected ? " out" : ""}`, "aria-haspopup": "menu", "data-nick": nick, title: away && `${nick}, away: ${away}` },
      h("span", { class: `dot ${shape}`, role: "img", "aria-label": state }),
      h("span", { class: "nm" }, nick), account && icon("star", "", "registered"),
      why && h("span", { class: "why", dir: "auto" }, why));
    button.addEventListener("click", () => this.acts.person(nick, button));
    return button;
  }

  /** @param {Conversation} whispers @param {import("./model.js").Model} model */
  #about(whispers, model) {
    const { name } = whispers;
    const person = model.person(name);
    say(byId("people-title"), `About \u2068${name}\u2069`);
    const isIgnored = model.ignored.has(fold(name));
    const shared = model.rooms.filter((each) => each.members.has(fold(name)));
    this.#list.replaceChildren(h("div", { class: "about" },
      h("p", { class: `who a${hue(name)}` }, h("bdi", {}, name), person?.account && icon("star", "", "registered")),
      h("dl", {},
        h("div", {}, h("dt", {}, "Now"), h("dd", { dir: "auto" }, now(person))),
        shared.length > 0 && h("div", {}, h("dt", {}, "You are both in"),
          h("dd", {}, ...shared.flatMap((each, n) => [n > 0 && ", ", h("a", { href: address(each.title) }, h("bdi", {}, each.title))])))),
      h("button", { type: "button", class: "btn", onclick: () => this.acts.ignore(name, !isIgnored) }, icon("eye", "s"),
        h("span", {}, isIgnored ? "Show messages of " : "Ignore "), h("bdi", {}, name))));
  }
}

/** @param {Member | null} person */
export function now(person) {
  if (!person) return "in none of your rooms";
  if (!person.connected) return "reconnecting";
  return person.away ? `away${person.away === "away" ? "" : ": " + person.away}` : "here";
}

/** @param {number} count */
export const peopleHere = (count) => `${counted(count, "person", "people")} here`;
