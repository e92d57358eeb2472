// Elements built by hand: a text is a text node, never markup.

/** @typedef {Node | string | null | undefined | false} Child */
/** @typedef {Record<string, string | number | boolean | null | undefined | ((event: any) => void)>} Attributes */

/**
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag @param {Attributes} [attributes] those that begin with "on" are listeners
 * @param {Child[]} children @returns {HTMLElementTagNameMap[T]}
 */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name.slice(2), value);
    else if (value !== null && value !== undefined && value !== false) element.setAttribute(name, value === true ? "" : String(value));
  }
  for (const child of children) if (child) element.append(child);
  return element;
}

const SVG = "http://www.w3.org/2000/svg";

/** @param {string} name @param {string} size "s" for a small one @param {string} label for who cannot see it */
export function icon(name, size = "", label = "") {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", name === "star" ? "reg" : `i ${size}`);
  if (label) {
    svg.setAttribute("role", "img");
    svg.setAttribute("aria-label", label);
  } else svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `#i-${name}`);
  svg.append(use);
  return svg;
}

/**
 * @template {HTMLElement} T
 * @param {string} id @param {new () => T} [type] @returns {T}
 */
export function byId(id, type) {
  const found = document.getElementById(id);
  if (!(found instanceof (type ?? HTMLElement))) throw new Error(`There is no #${id}`);
  return /** @type {T} */ (found);
}

/** Text that changes only where it differs, so that nobody loses a selection or a live region's calm. @param {HTMLElement} element @param {string} text */
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** @param {string} label @param {string} name @param {(event: MouseEvent) => void} act @param {Attributes} more */
export const iconButton = (label, name, act, more = {}) =>
  h("button", { type: "button", class: "ib", "aria-label": label, title: label, onclick: act, ...more }, icon(name));
