// What the link and the server have to say, above and below the stream.
import { byId, h, icon, say } from "./dom.js";
import { counted, offline } from "./wording.js";

const LATE = 700; // milliseconds: a connection that comes at once needs no word
const BACK = 4000;

export class Strips {
  #link = byId("link-strip");
  #server = byId("server-strip");
  #ask = byId("ask-strip");
  #status = byId("status");
  #drawn = "";
  #backUntil = 0;
  #sent = 0;
  #connectingSince = 0;

  /** @param {{tryNow(): void, here(): void, notify(yes: boolean): void, refresh(ms: number): void}} acts */
  constructor(acts) {
    this.acts = acts;
    byId("ask-yes").addEventListener("click", () => acts.notify(true));
    byId("ask-no").addEventListener("click", () => acts.notify(false));
  }

  /** We are back, with so many lines. @param {number} sent */
  back(sent) {
    this.#sent = sent;
    this.#backUntil = Date.now() + BACK;
    this.acts.refresh(BACK + 50);
  }

  /** @param {import("./client.js").Client} client @param {string} question */
  show(client, question) {
    const { connection, outbox } = client;
    const now = Date.now();
    const waiting = outbox.lines.filter((each) => each.state !== "refused" && !each.quiet).length;
    const isWaiting = connection.state === "waiting";
    if (client.isIn || isWaiting) this.#connectingSince = 0;
    else this.#connectingSince ||= now;
    if (client.isReplaced) {
      this.#draw("replaced", "You went on in another tab or window.", "link", "Use it here", () => this.acts.here());
    } else if (isWaiting) {
      this.#draw("offline", "", "link", "Try now", () => this.acts.tryNow(), "No connection.");
      say(byId("link-text"), ` ${offline(waiting, (connection.nextTry - now) / 1000)}`);
      this.acts.refresh(250);
    } else if (!client.isIn && now - this.#connectingSince >= LATE) {
      this.#draw("connecting", `Connecting to ${client.model.server || "the server"}`);
    } else if (!client.isIn) {
      this.acts.refresh(LATE);
    } else if (now < this.#backUntil) {
      this.#draw("back", `Connected again${this.#sent ? `, ${counted(this.#sent, "line")} sent` : ""}`, "link");
    } else this.#draw("");
    this.#ask.hidden = !question;
    say(byId("ask-text"), question);
    this.#server.hidden = !client.shutdown;
    say(byId("server-text"), client.shutdown && `${client.shutdown} What you type is kept and sent when it is back.`);
  }

  /** Draw what differs in kind; a status is said once, and the countdown never. */
  #draw(kind = "", text = "", sign = "", label = "", act = () => {}, strong = "") {
    if (kind === this.#drawn) return;
    this.#drawn = kind;
    this.#link.hidden = !kind;
    say(this.#status, strong || text);
    this.#link.replaceChildren(
      sign ? icon(sign) : h("span", { class: "spin", "aria-hidden": "true" }),
      h("p", {}, strong && h("b", {}, strong), h("span", { id: "link-text", class: "num" }, text)),
      ...(label ? [h("button", { type: "button", class: "btn", onclick: act }, label)] : []),
    );
  }
}
