// The lines of the conversation that is shown: as many elements as fit around the view, whatever it holds.
import { byId, h, say } from "./dom.js";
import { pending, row } from "./row.js";
import { clock, counted, day, dayOf } from "./wording.js";

/**
 * @typedef {import("./conversation.js").Conversation} Conversation
 * @typedef {import("./conversation.js").Item} Item
 * @typedef {import("./outbox.js").Line} Line
 */

const MOST = 160; // rows in the document
const STEP = 40;
const NEAR = 700; // pixels to an end at which more rows come
const CACHED = 4 * MOST; // rows that are kept, in the document or not
const GROUP = 5 * 60_000;
const SAID = new Set(["said", "file"]);
const FOLDED = 9 * 24; // a text of more pixels is folded

export class Stream {
  #box = byId("stream");
  #list = byId("lines");
  #top = byId("lines-top");
  #down = byId("down");
  #up = byId("up");
  /** @type {Conversation | null} */
  #shown = null;
  #start = 0;
  #end = 0;
  #me = "";
  /** @type {Line[]} */
  #lines = [];
  /** Whether the newest line is in view, and stays there. */
  follows = true;
  /** @type {Map<object, {element: HTMLElement, as: string}>} */
  #rows = new Map();
  /** @type {Map<string, HTMLElement>} */
  #rules = new Map();
  /** Texts that were never measured. @type {HTMLElement[]} */
  #unmeasured = [];
  /** Rules "new" that were in view once. @type {WeakSet<object>} */
  #seenFresh = new WeakSet();

  /** @param {import("./row.js").Acts & {older(conversation: Conversation): void, looked(): void, menu(item: Item, row: HTMLElement): void, write(): void}} acts */
  constructor(acts) {
    this.acts = acts;
    this.#box.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    this.#down.addEventListener("click", () => {
      this.newest();
      acts.write();
    });
    this.#up.addEventListener("click", () => this.#toFresh());
    this.#list.addEventListener("keydown", (event) => this.#key(event));
    this.#list.addEventListener("contextmenu", (event) => {
      const found = this.#itemAt(event.target);
      const touch = /** @type {PointerEvent} */ (event).pointerType === "touch";
      if (!found || !touch) return; // a mouse keeps the browser's own menu
      event.preventDefault();
      acts.menu(found.item, found.element);
    });
    new ResizeObserver(() => this.follows && this.#toEnd()).observe(this.#box);
  }

  /** Show the newest line. */
  newest() {
    this.follows = true;
    this.#render(true);
    this.acts.looked();
  }

  /** The last row takes the focus. */
  focus() {
    const last = [...this.#list.querySelectorAll(".line")].at(-1);
    if (last instanceof HTMLElement) last.focus();
  }

  /** @param {Conversation | null} conversation @param {Line[]} lines mine that are not stored @param {string} me */
  show(conversation, lines, me) {
    if (me !== this.#me) {
      this.#me = me;
      this.#rows.clear();
    }
    this.#lines = lines;
    const isOther = conversation !== this.#shown;
    if (isOther) {
      this.#rules.clear();
      this.#shown = conversation;
      this.follows = true;
      this.#start = this.#end = conversation?.end ?? 0;
    }
    this.#render(isOther);
    if (conversation && conversation.items.length < STEP && !conversation.span.complete && conversation.entered) {
      this.acts.older(conversation);
    }
    if (!this.follows && this.#box.scrollTop < NEAR && conversation && this.#start > conversation.base) this.#scrolled();
  }

  /** @param {boolean} anew */
  #render(anew = false) {
    const shown = this.#shown;
    const low = shown?.base ?? 0;
    const high = shown?.end ?? 0;
    if (this.follows) {
      this.#end = high;
      if (anew || high - this.#start > MOST + STEP || high - this.#start < MOST / 2) this.#start = high - MOST / 2;
    }
    this.#end = Math.min(Math.max(this.#end, low), high);
    this.#start = Math.max(low, Math.min(this.#start, this.#end));
    if (this.#start === this.#end) this.#start = Math.max(low, this.#end - MOST / 2);
    const anchor = this.follows ? null : this.#anchor();
    this.#reconcile(shown ? this.#wanted(shown) : []);
    if (this.#rows.size > CACHED) for (const [of, { element }] of this.#rows) if (!element.isConnected) this.#rows.delete(of);
    this.#measure();
    say(this.#top, shown?.span.loading && !shown.span.complete ? "Loading what was said before" : "");
    byId("blank").hidden = !shown || this.#list.childElementCount > 0 || !shown.span.complete || !shown.entered;
    if (this.follows) this.#toEnd();
    else if (anchor) this.#keep(anchor);
    this.#buttons();
  }

  /** The elements that are to be there, in order. @param {Conversation} shown @returns {HTMLElement[]} */
  #wanted(shown) {
    const wanted = [];
    /** @type {Item | undefined} */
    let before = shown.at(this.#start - 1);
    let numbered = this.#start - 1;
    while (shown.at(numbered)?.id === 0) numbered--;
    let isFreshAbove = !shown.fresh || (shown.at(numbered)?.id ?? 0) >= shown.fresh.id;
    for (let place = this.#start; place < this.#end; place++) {
      const each = shown.at(place);
      if (!before || dayOf(before.time) !== dayOf(each.time)) wanted.push(this.#rule(`day ${dayOf(each.time)}`, "", day(each.time)));
      if (!isFreshAbove && shown.fresh && each.id >= shown.fresh.id) {
        const { id, count } = shown.fresh;
        isFreshAbove = true;
        wanted.push(this.#rule(`new ${id}`, " new", `New: ${counted(count, "message")} since ${clock(each.time)}`));
        before = undefined;
      }
      const first = !before || !SAID.has(before.kind) || before.from !== each.from || each.time - before.time > GROUP
        || dayOf(before.time) !== dayOf(each.time);
      wanted.push(this.#row(each, `${each.version} ${first}`, () => row(each, first, this.#me, this.acts)));
      before = each;
    }
    if (this.#end < shown.end) return wanted;
    let isMine = !!before && SAID.has(before.kind) && before.mine && Date.now() - before.time < GROUP;
    for (const line of this.#lines) {
      const first = !isMine;
      isMine = true;
      wanted.push(this.#row(line, `${line.state} ${line.reason} ${first}`, () => pending(line, first, this.#me, this.acts)));
    }
    return wanted;
  }

  /** @param {object} of @param {string} as what it looks like @param {() => HTMLElement} make */
  #row(of, as, make) {
    const known = this.#rows.get(of);
    if (known?.as === as) return known.element;
    const element = make();
    if (known?.element.querySelector("details[open]")) element.querySelector("details")?.setAttribute("open", "");
    if (known?.element === document.activeElement) queueMicrotask(() => element.focus({ preventScroll: true }));
    if ((element.textContent?.length ?? 0) > 280) this.#unmeasured.push(element);
    this.#rows.set(of, { element, as });
    return element;
  }

  /** @param {string} key @param {string} kind @param {string} text */
  #rule(key, kind, text) {
    let rule = this.#rules.get(key);
    if (!rule) {
      rule = h("li", { class: `rule${kind}` }, h("span", {}, text));
      this.#rules.set(key, rule);
    }
    say(/** @type {HTMLElement} */ (rule.firstElementChild), text); // older lines may have come above
    return rule;
  }

  /** @param {HTMLElement[]} wanted */
  #reconcile(wanted) {
    const keep = new Set(wanted);
    for (const child of [...this.#list.children]) if (!keep.has(/** @type {HTMLElement} */ (child))) child.remove();
    let at = this.#list.firstElementChild;
    for (const element of wanted) {
      if (element === at) at = at.nextElementSibling;
      else this.#list.insertBefore(element, at);
    }
    const rows = this.#list.querySelectorAll(".line");
    const focusable = this.#list.querySelectorAll('.line[tabindex="0"]');
    const last = rows[rows.length - 1];
    if (last && !(focusable.length === 1 && focusable[0].contains(document.activeElement))) {
      for (const each of focusable) if (each !== last) each.setAttribute("tabindex", "-1");
      last.setAttribute("tabindex", "0");
    }
  }

  /** Fold what is long, once: all are measured before any is changed. */
  #measure() {
    const texts = this.#unmeasured.filter((each) => each.isConnected).map((each) => each.querySelector(".said > p"));
    this.#unmeasured = [];
    const long = texts.filter((each) => each && each.scrollHeight > FOLDED);
    const rows = long.map((each) => Math.round((each?.scrollHeight ?? 0) / 24));
    long.forEach((text, n) => {
      text?.classList.add("fold");
      const more = h("button", { type: "button", class: "more", "aria-expanded": "false" }, `Show the whole message (${rows[n]} rows)`);
      more.addEventListener("click", () => {
        const folded = text?.classList.toggle("fold");
        more.setAttribute("aria-expanded", String(!folded));
        say(more, folded ? `Show the whole message (${rows[n]} rows)` : "Show less");
      });
      text?.after(more);
    });
  }

  // Where one is

  #toEnd() {
    this.#box.scrollTop = this.#box.scrollHeight;
  }

  /** The first row in view, and where it is. */
  #anchor() {
    const top = this.#box.getBoundingClientRect().top;
    for (const element of this.#list.children) {
      const box = element.getBoundingClientRect();
      if (box.bottom > top && element.classList.contains("line")) return { element, top: box.top };
    }
    return null;
  }

  /** @param {{element: Element, top: number}} anchor */
  #keep(anchor) {
    if (!anchor.element.isConnected) return;
    const moved = anchor.element.getBoundingClientRect().top - anchor.top;
    if (Math.abs(moved) > 0.5) this.#box.scrollTop += moved;
  }

  #scrolled() {
    const shown = this.#shown;
    if (!shown) return;
    const { scrollTop, scrollHeight, clientHeight } = this.#box;
    const below = scrollHeight - clientHeight - scrollTop;
    const followed = this.follows;
    this.follows = below < 24 && (followed || this.#end === shown.end); // lines may have come since we drew
    if (scrollTop < NEAR && !this.follows) {
      if (this.#start > shown.base) {
        this.#start -= STEP;
        this.#end = Math.min(this.#end, this.#start + MOST);
        this.#render();
      } else this.acts.older(shown);
    } else if (below < NEAR && this.#end < shown.end) {
      this.#end += STEP;
      this.#start = Math.max(this.#start, this.#end - MOST);
      this.#render();
    }
    this.#buttons();
    if (followed !== this.follows) this.acts.looked();
  }

  #buttons() {
    const shown = this.#shown;
    this.#down.hidden = this.follows || !shown;
    const count = shown?.unread ?? 0;
    say(/** @type {HTMLElement} */ (this.#down.lastElementChild), count ? counted(count, "new message") : "Newest");
    const rule = shown?.fresh && this.#rules.get(`new ${shown.fresh.id}`);
    const isAbove = !!shown?.fresh && (!rule?.isConnected ? shown.fresh.count > MOST / 3
      : rule.getBoundingClientRect().bottom < this.#box.getBoundingClientRect().top);
    this.#up.hidden = !isAbove || !!this.#seenFresh.has(shown?.fresh ?? {});
    if (isAbove && shown?.fresh) say(/** @type {HTMLElement} */ (this.#up.lastElementChild), `${counted(shown.fresh.count, "new message")} above`);
    const isWhole = !!shown?.fresh && shown.fresh.id >= shown.span.first; // else more new lines load above it
    if (rule?.isConnected && !isAbove && isWhole && shown?.fresh) this.#seenFresh.add(shown.fresh);
  }

  #toFresh() {
    const shown = this.#shown;
    if (!shown?.fresh) return;
    const { id } = shown.fresh;
    const place = shown.items.findIndex((each) => each.id >= id);
    this.follows = false;
    this.#start = Math.max(shown.base, shown.base + Math.max(0, place) - STEP / 2);
    this.#end = Math.min(shown.end, this.#start + MOST);
    this.#render();
    this.#rules.get(`new ${id}`)?.scrollIntoView({ block: "center" });
    this.#seenFresh.add(shown.fresh);
    this.acts.looked();
  }

  // Keys

  /** @param {EventTarget | null} target */
  #itemAt(target) {
    const element = target instanceof Element ? target.closest(".line") : null;
    const item = this.#shown?.items.find((each) => this.#rows.get(each)?.element === element);
    return element instanceof HTMLElement && item ? { item, element } : null;
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const line = event.target instanceof Element ? event.target.closest(".line") : null;
    if (!line) return;
    const rows = [...this.#list.querySelectorAll(".line")];
    const at = rows.indexOf(line);
    const to = { ArrowUp: at - 1, ArrowDown: at + 1, Home: 0, End: rows.length - 1 }[event.key];
    const next = to === undefined ? undefined : rows[to];
    if (next instanceof HTMLElement) {
      event.preventDefault();
      line.setAttribute("tabindex", "-1");
      next.setAttribute("tabindex", "0");
      next.focus();
      next.scrollIntoView({ block: "nearest" });
    } else if (event.key === "Escape") this.acts.write();
    else if (event.key === "Enter" && event.target === line) {
      event.preventDefault(); // or the menu's first entry would be pressed
      const found = this.#itemAt(line);
      if (found) this.acts.menu(found.item, found.element);
    }
  }
}
