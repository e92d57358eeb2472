// A menu beside what opened it, or a sheet from below on a phone.
import { byId, h, icon } from "./dom.js";

/** @typedef {{label: string, icon: string, act: () => void, harm?: boolean, checked?: boolean, below?: boolean}} Entry */

let close = () => {};

export const closeMenu = () => close();

/** @param {HTMLElement} anchor @param {Node | string} title @param {string[]} facts @param {Entry[]} entries */
export function openMenu(anchor, title, facts, entries) {
  close();
  const from = document.activeElement;
  const label = typeof title === "string" ? title : title.textContent;
  const items = entries.map((entry) =>
    h("button", {
      type: "button", class: entry.harm ? "harm" : "", tabindex: -1,
      role: entry.checked === undefined ? "menuitem" : "menuitemradio",
      "aria-checked": entry.checked === undefined ? null : String(entry.checked),
      onclick: () => {
        close();
        entry.act();
      },
    }, icon(entry.icon), h("span", {}, entry.label), entry.checked ? icon("check", "s end") : null));
  const list = h("div", { role: "menu", "aria-label": label });
  entries.forEach((entry, n) => list.append(...(entry.below ? [h("hr")] : []), items[n]));
  const menu = h("div", { class: "menu", role: "dialog", "aria-label": label },
    h("div", { class: "title" }, h("b", { dir: "auto" }, title), ...facts.map((fact) => h("p", { dir: "auto" }, fact))), list);
  const veil = h("div", { class: "veil sheet", onclick: () => close() });
  byId("floats").append(veil, menu);
  place(menu, anchor);
  items[0]?.focus();
  menu.addEventListener("keydown", (event) => {
    const at = items.indexOf(/** @type {HTMLButtonElement} */ (document.activeElement));
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: -1 }[event.key];
    if (to !== undefined) items.at(to % items.length)?.focus();
    else if (event.key === "Escape" || event.key === "Tab") close();
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  anchor.setAttribute("aria-expanded", "true");
  close = () => {
    close = () => {};
    menu.remove();
    veil.remove();
    anchor.setAttribute("aria-expanded", "false");
    if (from instanceof HTMLElement && from.isConnected) from.focus({ preventScroll: true });
  };
}

/** Below the anchor or above it, inside the window. @param {HTMLElement} menu @param {HTMLElement} anchor */
function place(menu, anchor) {
  const at = anchor.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = menu;
  const top = at.bottom + 4 + height < innerHeight ? at.bottom + 4 : at.top - 4 - height;
  menu.style.top = `${Math.max(8, Math.min(top, innerHeight - height - 8))}px`;
  menu.style.left = `${Math.max(8, Math.min(at.left, innerWidth - width - 8))}px`;
}
