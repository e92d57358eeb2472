// Going to a room or a person by a few letters, and the list of keys: what floats over the page.
import { byId, h, iconButton } from "./dom.js";
import { fold } from "./names.js";

/** @typedef {{title: string, note: string, act: () => void}} Place */

let close = () => {};

export const closeCard = () => close();

/** @param {HTMLElement} card */
function open(card) {
  close();
  const from = document.activeElement;
  const dim = h("div", { class: "dim" }, card);
  dim.addEventListener("pointerdown", (event) => event.target === dim && close());
  dim.addEventListener("keydown", (event) => {
    if (event.key === "Escape") close();
    else if (event.key === "Tab") event.preventDefault(); // one stop each
    else return;
    event.stopPropagation();
  });
  byId("app").inert = true;
  byId("floats").append(dim);
  close = () => {
    close = () => {};
    byId("app").inert = false;
    dim.remove();
    if (from instanceof HTMLElement && from.isConnected) from.focus({ preventScroll: true });
  };
}

/** @param {() => Place[]} places @param {(name: string) => Place[]} more what a name could mean that is none of them */
export function openGoto(places, more) {
  const list = h("ul", { id: "go-list", role: "listbox", "aria-label": "Rooms and people" });
  const field = h("input", {
    type: "text", role: "combobox", "aria-label": "Go to a room or person", placeholder: "Go to a room or person", autocapitalize: "off",
    spellcheck: "false", "aria-expanded": "true", "aria-controls": "go-list", autocomplete: "off",
  });
  /** @type {Place[]} */
  let found = [];
  let at = 0;
  const choose = (/** @type {number} */ n) => {
    at = n;
    [...list.children].forEach((each, m) => each.setAttribute("aria-selected", String(m === n)));
    list.children[n]?.scrollIntoView({ block: "nearest" });
    if (found[n]) field.setAttribute("aria-activedescendant", `go-${n}`);
    else field.removeAttribute("aria-activedescendant");
  };
  const take = (/** @type {number} */ n) => {
    const place = found[n];
    close();
    place?.act();
  };
  const show = () => {
    const sought = fold(field.value.trim().replace(/^[#@]/u, ""));
    const rank = (/** @type {Place} */ each) => fold(each.title.replace(/^[#@]/u, "")).indexOf(sought);
    const all = places().filter((each) => each.title.startsWith(/^[#@]/u.exec(field.value)?.[0] ?? ""));
    found = all.filter((each) => rank(each) >= 0).sort((a, b) => Math.min(rank(a), 1) - Math.min(rank(b), 1)).slice(0, 10);
    found.push(...more(field.value.trim()).filter((each) => !all.some((one) => fold(one.title) === fold(each.title))));
    list.replaceChildren(...found.map((each, n) =>
      h("li", { role: "option", id: `go-${n}`, class: "ent", onclick: () => take(n) },
        h("span", { class: "nm" }, each.title[0], h("bdi", {}, each.title.slice(1))), h("span", { class: "n", dir: "auto" }, each.note))));
    choose(0);
  };
  field.addEventListener("input", show);
  field.addEventListener("keydown", (event) => {
    const { length } = found;
    if (event.key === "ArrowDown" && length) choose((at + 1) % length);
    else if (event.key === "ArrowUp" && length) choose((at + length - 1) % length);
    else if (event.key === "Enter") take(at);
    else return;
    event.preventDefault();
  });
  open(h("div", { class: "card", role: "dialog", "aria-modal": "true", "aria-label": "Go to" }, field, list));
  field.focus();
  show();
  return show;
}

const KEYS = [
  ["Go to a room or person", "Ctrl", "K"],
  ["Next, previous unread", "Alt", "↓", "↑"],
  ["Room above, below", "Alt", "Shift", "↑", "↓"],
  ["Complete a name or command", "Tab"],
  ["Send", "Enter"],
  ["New line", "Shift", "Enter"],
  ["What you said before, in an empty field", "↑"],
  ["Into the messages, then ↑ and ↓", "Shift", "Tab"],
  ["What to do with a message", "Enter"],
  ["Next pane", "F6"],
  ["Mark all read", "Shift", "Esc"],
  ["Close, newest, back to the field", "Esc"],
  ["This list, outside a field", "?"],
];

export function openKeys() {
  const shut = iconButton("Close", "x", () => close());
  open(h("div", { class: "card keys", role: "dialog", "aria-modal": "true", "aria-labelledby": "keys-title" },
    h("h2", {}, h("span", { id: "keys-title" }, "Keys"), shut),
    h("dl", {}, ...KEYS.map(([what, ...keys]) => h("div", {}, h("dt", {}, what), h("dd", {}, ...keys.map((key) => h("kbd", {}, key))))))));
  shut.focus();
}
