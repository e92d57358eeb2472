// What was typed and is not stored yet: each line once, in order, and again only where that is safe.

/** Lines on their way at once: a round trip is used well, and the server's queue never fills. */
const WINDOW = 8;

/**
 * @typedef {{
 *   ref: string, room: string, place: string, text: string, shown: string, command: boolean, quiet: boolean,
 *   at: number, state: "waiting" | "sending" | "refused", reason: string, sent: boolean, echoed: boolean,
 * }} Line `place` is the key of the conversation that shows it; `quiet`: nobody typed it; `sent`: the
 *   server may have it; `echoed`: its event is here, its answer is not
 */

export class Outbox {
  /** Oldest first. @type {Line[]} */
  lines = [];
  #window = WINDOW;
  #number = 0;
  #prefix = "";

  /** @param {string} prefix of refs, so that those of two visits differ */
  constructor(prefix) {
    this.#prefix = prefix;
  }

  #ref() {
    return `${this.#prefix}-${++this.#number}`;
  }

  /** @param {Pick<Line, "room" | "place" | "text" | "command"> & Partial<Line>} what */
  add(what) {
    /** @type {Line} */
    const line = {
      shown: what.text, quiet: false, at: Date.now(), state: "waiting", reason: "", sent: false, echoed: false, ...what, ref: this.#ref(),
    };
    this.lines.push(line);
    return line;
  }

  /** The lines that are to go out now; they count as sent. */
  due() {
    let free = this.#window - this.lines.filter((each) => each.state === "sending").length;
    const due = [];
    for (const line of this.lines) {
      if (free <= 0) break;
      if (line.state !== "waiting") continue;
      line.state = "sending";
      line.sent = true;
      due.push(line);
      free--;
    }
    return due;
  }

  /** A line as the server wants it. @param {Line} line */
  static request(line) {
    const request = { do: line.command ? "command" : "say", text: line.text, ref: line.ref };
    return line.room ? { ...request, room: line.room } : request;
  }

  /** @param {string} ref */
  find(ref) {
    return ref ? this.lines.find((each) => each.ref === ref) : undefined;
  }

  /** Forget a line: it is stored, or dropped. @param {Line} line */
  settle(line) {
    this.lines = this.lines.filter((each) => each !== line);
  }

  /** It will not be done as it is. @param {Line} line @param {string} reason */
  refuse(line, reason) {
    if (line.quiet) this.settle(line);
    line.state = "refused";
    line.reason = reason;
  }

  /** It came too fast: ask again as a new request, and from now on one at a time. @param {Line} line */
  slow(line) {
    this.#window = 1;
    Object.assign(line, { ref: this.#ref(), state: "waiting", sent: false });
  }

  /** Try a refused line again, as the newest. @param {Line} line */
  again(line) {
    this.settle(line);
    Object.assign(line, { ref: this.#ref(), state: "waiting", reason: "", sent: false, at: Date.now() });
    this.lines.push(line);
  }

  /** The connection is gone: what is under way waits, named as before. */
  lost() {
    for (const line of this.lines) if (line.state === "sending") line.state = "waiting";
  }

  /** The old session is gone, and with it who could tell what became of what was sent. */
  forgotten() {
    for (const line of [...this.lines]) {
      if (line.echoed) this.settle(line);
      else if (line.state !== "refused" && line.sent) this.refuse(line, UNSURE);
    }
  }
}

const UNSURE = "Nobody knows whether this was sent, because the server has a new session for you.";
