// A file that somebody has sent, as a line; and a small picture of it, made here, where it is one.
import { h, icon } from "./dom.js";
import { sizeOf } from "./wording.js";

/** @typedef {import("./conversation.js").Sent} Sent */

const SHOWN = new Set(["image/png", "image/jpeg", "image/gif", "image/webp"]);
const MOVES = new Set(["image/gif", "image/webp"]);
const [WIDE, HIGH] = [320, 160]; // pixels of the page; the style has the same
const MOST = 20_000_000; // bytes of a picture that is loaded unasked

/** Pictures that are made once they come near. @type {WeakMap<Element, () => void>} */
const waiting = new WeakMap();
const near = typeof IntersectionObserver === "undefined" ? null : new IntersectionObserver((seen) => {
  for (const { target, isIntersecting } of seen) {
    if (!isIntersecting) continue;
    near?.unobserve(target);
    waiting.get(target)?.();
  }
}, { rootMargin: "400px" });

/** What stands in the line. @param {Sent} file @returns {(Node | string)[]} */
export function fileLine(file) {
  const size = h("small", {}, sizeOf(file.size));
  const name = h("bdi", {}, file.name);
  if (!file.path) return [icon("clip", "s"), " ", name, " ", size, " ", h("em", {}, "no longer available")];
  const link = h("a", { href: file.path, target: "_blank", rel: "noopener noreferrer", tabindex: -1 }, name);
  return [icon("clip", "s"), " ", link, " ", size];
}

/** A box for its picture, of one height, so that nothing jumps; null if it is none. @param {Sent} file */
export function picture(file) {
  if (!file.path || !SHOWN.has(file.type) || file.size > MOST) return null;
  const box = h("div", { class: "pic" });
  waiting.set(box, () => void draw(box, file).catch(() => box.replaceChildren(h("small", {}, "This picture cannot be shown."))));
  near?.observe(box);
  return box;
}

/** @param {HTMLElement} box @param {Sent} file */
async function draw(box, file) {
  const answer = await fetch(file.path);
  if (!answer.ok) return box.replaceChildren(h("small", {}, "no longer available"));
  const bitmap = await createImageBitmap(await answer.blob());
  const scale = Math.min(1, WIDE / bitmap.width, HIGH / bitmap.height);
  const width = Math.max(1, Math.round(bitmap.width * scale));
  const height = Math.max(1, Math.round(bitmap.height * scale));
  const dense = Math.min(2, devicePixelRatio || 1, 1 / scale);
  const canvas = h("canvas", { width: Math.round(width * dense), height: Math.round(height * dense), role: "img", "aria-label": file.name });
  canvas.style.width = `${width}px`;
  const context = canvas.getContext("2d");
  if (context) context.imageSmoothingQuality = "high";
  context?.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  bitmap.close();
  if (!MOVES.has(file.type)) {
    box.replaceChildren(h("a", { href: file.path, target: "_blank", rel: "noopener noreferrer", tabindex: -1 }, canvas));
    return;
  }
  const button = h("button", { type: "button", "aria-pressed": "false", "aria-label": `Play ${file.name}`, tabindex: -1 }, canvas);
  button.addEventListener("click", () => {
    const plays = button.getAttribute("aria-pressed") === "false";
    button.setAttribute("aria-pressed", String(plays));
    button.replaceChildren(plays ? h("img", { src: file.path, alt: file.name, width, height }) : canvas);
  });
  box.replaceChildren(button);
}
