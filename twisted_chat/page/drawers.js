// Rooms and people where there is no place for them: drawers over a veil.
import { byId } from "./dom.js";

/** @typedef {"rooms" | "people"} Drawer */

const IS_DRAWER = { rooms: "(max-width: 719px)", people: "(max-width: 1119px)" };

export class Drawers {
  /** @type {Drawer | null} */
  #open = null;
  /** @type {Element | null} */
  #from = null;
  #veil = byId("veil");

  constructor() {
    this.#veil.addEventListener("click", () => this.close());
    for (const which of /** @type {Drawer[]} */ (["rooms", "people"])) {
      byId(`open-${which}`).addEventListener("click", () => this.open(which));
      byId(`close-${which}`).addEventListener("click", () => this.close());
      byId(which).addEventListener("keydown", (event) => {
        if (event.key !== "Escape" || !this.isOpen) return;
        event.stopPropagation();
        this.close();
      });
      matchMedia(IS_DRAWER[which]).addEventListener("change", () => this.close());
    }
  }

  get isOpen() {
    return this.#open !== null;
  }

  /** Open a pane if it is a drawer, and focus it. @param {Drawer} which */
  open(which) {
    const pane = byId(which);
    if (matchMedia(IS_DRAWER[which]).matches) {
      this.close();
      this.#from = document.activeElement;
      this.#open = which;
      pane.classList.add("is-open");
      this.#veil.hidden = false;
      byId("room").inert = true;
      byId(`open-${which}`).setAttribute("aria-expanded", "true");
    }
    const first = pane.querySelector('[tabindex="0"]') ?? pane.querySelector("button, input");
    if (first instanceof HTMLElement) first.focus();
  }

  close() {
    if (!this.#open) return;
    byId(this.#open).classList.remove("is-open");
    byId(`open-${this.#open}`).setAttribute("aria-expanded", "false");
    this.#veil.hidden = true;
    byId("room").inert = false;
    this.#open = null;
    if (this.#from instanceof HTMLElement) this.#from.focus({ preventScroll: true });
  }
}
