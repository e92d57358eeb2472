// A WebSocket that is made again when it is gone: elsewhere at once, then after pauses that grow. A dead one is noticed.
import { Route } from "./route.js";

/**
 * @typedef {{
 *   onopen: (() => void) | null, onclose: (() => void) | null,
 *   onmessage: ((event: {data: unknown}) => void) | null, send(text: string): void, close(): void,
 * }} Socket
 * @typedef {{now(): number, later(act: () => void, ms: number): () => void, random(): number}} Clock `later` gives what cancels it
 */

const LONGEST = 15_000;
const ANSWERS_IN = 10_000; // a connection, or a ping
const HANGS = 2000; // a connection, while there is another address to try
const STEADY = 10_000; // whose loss is a new one: before, each address is tried once
const AWAKE_IN = 3_000; // a ping after sleep: one waits in front of the screen
const IDLE = 25_000;
const LOOK = 2_000;

/** @type {Clock} */
export const CLOCK = {
  now: () => Date.now(),
  later: (act, ms) => {
    const timer = setTimeout(act, ms);
    return () => clearTimeout(timer);
  },
  random: Math.random,
};

export class Connection {
  /** @type {"closed" | "connecting" | "open" | "waiting"} */
  state = "closed";
  /** When the next try is due, while `waiting`. */
  nextTry = 0;
  onUp = () => {};
  onDown = () => {};
  /** @type {(line: unknown) => void} */
  onLine = () => {};

  #tries = 0;
  #since = Infinity; // when we were let in, over this connection
  /** Where it is, or was at last. */
  #at = "";
  #heard = 0;
  #looked = 0;
  #pinged = false;
  /** @type {Socket | null} */
  #socket = null;
  #cancelRetry = () => {};
  #cancelDeadline = () => {};
  #cancelLook = () => {};

  /** @param {(origin: string) => Socket} make @param {string} origin of our page @param {Clock} clock */
  constructor(make, origin, clock = CLOCK) {
    this.make = make;
    this.clock = clock;
    this.route = new Route(origin);
  }

  /** Connect now, whether or not a try is due. */
  open() {
    this.route.begin();
    this.#connect();
  }

  #connect() {
    this.#forget();
    this.state = "connecting";
    this.#at = this.route.take();
    /** @type {Socket} */
    let socket;
    try {
      socket = this.make(this.#at);
    } catch {
      this.#retry();
      return;
    }
    this.#socket = socket;
    this.#deadline(this.route.next ? HANGS : ANSWERS_IN);
    socket.onopen = () => {
      this.state = "open";
      this.#heard = this.#looked = this.clock.now();
      this.#pinged = false;
      this.#cancelDeadline();
      this.#look();
      this.onUp();
    };
    socket.onmessage = (event) => {
      this.#heard = this.clock.now();
      this.#pinged = false;
      this.#cancelDeadline();
      this.onLine(event.data);
    };
    socket.onclose = () => this.#lost();
  }

  /** Let go of the connection and of every plan to make one. */
  close() {
    this.#forget();
    this.state = "closed";
  }

  /** The server has let us in: the next loss is a new one. */
  welcomed() {
    this.#tries = 0;
    this.#since = this.clock.now();
  }

  /** @param {object} thing */
  send(thing) {
    if (this.state === "open") this.#socket?.send(JSON.stringify(thing));
  }

  /** The machine woke up, or the network changed: see whether anybody answers. */
  probe(within = AWAKE_IN) {
    if (this.state === "waiting") this.open();
    else if (this.state === "open" && !this.#pinged) {
      this.#pinged = true;
      this.send({ do: "ping" });
      this.#deadline(within);
    }
  }

  #look() {
    this.#cancelLook = this.clock.later(() => {
      const now = this.clock.now();
      if (now - this.#looked > 3 * LOOK) this.probe();
      else if (now - this.#heard > IDLE) this.probe(ANSWERS_IN);
      this.#looked = now;
      this.#look();
    }, LOOK);
  }

  /** @param {number} ms */
  #deadline(ms) {
    this.#cancelDeadline();
    this.#cancelDeadline = this.clock.later(() => this.#lost(), ms);
  }

  #lost() {
    if (this.clock.now() - this.#since >= STEADY) this.route.begin(this.#at);
    this.#forget();
    this.#retry();
    this.onDown();
  }

  #retry() {
    if (this.route.next) {
      this.state = "connecting";
      this.#cancelRetry = this.clock.later(() => this.#connect(), 0);
      return;
    }
    const pause = Math.min(LONGEST, 1000 * 2 ** this.#tries) * (0.5 + 0.5 * this.clock.random());
    this.#tries = Math.min(this.#tries + 1, 10);
    this.state = "waiting";
    this.nextTry = this.clock.now() + pause;
    this.#cancelRetry = this.clock.later(() => this.open(), pause);
  }

  #forget() {
    this.#cancelRetry();
    this.#cancelDeadline();
    this.#cancelLook();
    this.#since = Infinity;
    const socket = this.#socket;
    this.#socket = null;
    if (!socket) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
  }
}
