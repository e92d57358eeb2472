// The keys that work everywhere on the page.
import { byId } from "./dom.js";

/**
 * @typedef {{
 *   goto(): void, keys(): void, readAll(): void, step(by: number, onlyUnread: boolean): void,
 *   write(): void, messages(): void, open(pane: "rooms" | "people"): void,
 * }} Acts
 */

/** @param {Acts} acts */
export function shortcuts(acts) {
  document.addEventListener("keydown", (event) => {
    if (byId("app").hidden || byId("app").inert) return;
    const { key, ctrlKey, metaKey, altKey, shiftKey } = event;
    const field = byId("write", HTMLTextAreaElement);
    const isField = event.target instanceof HTMLInputElement || event.target instanceof HTMLTextAreaElement;
    const by = { ArrowUp: -1, ArrowDown: 1 }[key];
    if ((ctrlKey || metaKey) && !altKey && key.toLowerCase() === "k") acts.goto();
    else if (altKey && by && !ctrlKey) acts.step(by, !shiftKey);
    else if (key === "F6") pane(shiftKey ? -1 : 1, acts);
    else if (key === "Escape" && shiftKey) acts.readAll();
    else if (key === "Escape" && !isField) acts.write();
    else if (key === "?" && !isField) acts.keys();
    else if (key === "Tab" && shiftKey && event.target === field) acts.messages();
    else return;
    event.preventDefault();
  });
}

/** @param {number} by @param {Acts} acts */
function pane(by, acts) {
  const panes = [["rooms", () => acts.open("rooms")], ["stream", acts.messages], ["people", () => acts.open("people")], ["write-form", acts.write]];
  const at = panes.findIndex(([id]) => byId(/** @type {string} */ (id)).contains(document.activeElement));
  /** @type {() => void} */ (panes[(at + by + panes.length) % panes.length][1])();
}
