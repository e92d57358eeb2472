// A real server, a headless browser, and people who come with netcat's way of talking.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, afterEach, before, beforeEach } from "node:test";
import { chromium } from "playwright-core";

const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium";
const PYTHON = process.env.PYTHON ?? "python3";
const QUIET = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];

/** Why the tests in a browser are left out; false if nothing is missing. */
export const missing = existsSync(CHROMIUM) ? false : `there is no ${CHROMIUM}: set CHROMIUM to a browser to run this`;

export const sleep = (/** @type {number} */ ms) => new Promise((done) => setTimeout(done, ms));

/** Milliseconds: a slow machine with much to do takes its time, and no test waits longer than it has to. */
const PATIENCE = 40_000;

/** Milliseconds for all tests of a file. */
export const SUITE = 1_200_000;

/** @param {() => unknown} holds @param {string} what */
export async function until(holds, what, within = PATIENCE) {
  for (const end = Date.now() + within; Date.now() < end; await sleep(25)) if (await holds()) return;
  throw new Error(`In vain: ${what}`);
}

export class Server {
  folder = mkdtempSync(join(tmpdir(), "page-"));
  port = 0;
  /** For browsers only: at the other, a browser that is slower than the greeting of netcat gets that. */
  webPort = 0;
  /** @type {import("node:child_process").ChildProcess | null} */
  process = null;
  /** @type {string[]} */
  options;

  /** @param {string[]} options more of twistd's */
  constructor(...options) {
    this.options = options;
  }

  get url() {
    return `http://127.0.0.1:${this.webPort}/`;
  }

  async start() {
    const run = ["-c", "from twisted.scripts.twistd import run; run()", "-n", "--pidfile=", "chat", "--port", String(this.port), "--web-port", String(this.webPort), "--interface", "127.0.0.1"];
    const open = ["--name", "the lab", "--db", "chat.sqlite", "--flood", "off", "--per-address", "500", "--nameless-per-address", "100", "--connections", "100000/60"];
    const child = spawn(PYTHON, [...run, ...open, ...this.options], { cwd: this.folder, stdio: ["ignore", "pipe", "inherit"] });
    this.process = child;
    const said = createInterface(child.stdout);
    for await (const line of said) {
      this.port = Number(/Join with: nc 127.0.0.1 (\d+)/.exec(line)?.[1] ?? this.port);
      const page = Number(/Open in a browser: http:\/\/127.0.0.1:(\d+)/.exec(line)?.[1] ?? this.port);
      if (page !== this.port) {
        this.webPort = page;
        break;
      }
    }
    if (!this.port || !this.webPort) throw new Error("The server did not start");
    child.stdout.resume();
    return this;
  }

  /** @param {NodeJS.Signals} signal */
  async stop(signal = "SIGTERM") {
    const child = this.process;
    this.process = null;
    if (!child) return;
    const gone = new Promise((done) => child.once("exit", done));
    child.kill(signal);
    await gone;
  }

  async end() {
    await this.stop("SIGKILL");
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Somebody at a terminal. @param {string} nick */
  async person(nick) {
    const person = new Person(net.connect(this.port, "127.0.0.1"));
    await until(() => person.heard.includes("nickname?"), "the question for a nickname");
    person.says(nick);
    await until(() => person.heard.includes("*** In #lobby:"), `${nick} is in`);
    return person;
  }

  /** A program that speaks structured lines. @param {string} nick */
  async program(nick) {
    const program = new Person(net.connect(this.port, "127.0.0.1"));
    program.does({ do: "hello", nick });
    await until(() => program.heard.includes('"event":"state"'), `${nick} is in`);
    return program;
  }
}

class Person {
  heard = "";

  /** @param {net.Socket} socket */
  constructor(socket) {
    this.socket = socket;
    socket.setEncoding("utf8");
    socket.on("data", (text) => {
      this.heard = (this.heard + text).slice(-200_000);
    });
    socket.on("error", () => {});
  }

  /** @param {string} line */
  says(line) {
    this.socket.write(`${line}\r\n`);
  }

  /** @param {object} thing */
  does(thing) {
    this.socket.write(`${JSON.stringify(thing)}\n`);
  }

  leaves() {
    this.socket.destroy();
  }
}

export const browser = () => chromium.launch({ executablePath: CHROMIUM, args: QUIET });

/** A browser that keeps what it knows in a folder. @param {string} folder */
export const persistent = (folder) => chromium.launchPersistentContext(folder, { executablePath: CHROMIUM, args: QUIET });

/** A page on which nothing may go wrong unseen. */
export class Visitor {
  /** @type {string[]} */
  wrong = [];

  /** @param {import("playwright-core").Page} page @param {Server} server */
  constructor(page, server) {
    this.page = page;
    this.server = server;
    page.setDefaultTimeout(PATIENCE);
    page.on("pageerror", (error) => this.wrong.push(String(error)));
    page.on("console", (message) => {
      if (message.type() === "error" && !/WebSocket|ERR_CONNECTION|ERR_INTERNET/.test(message.text())) this.wrong.push(message.text());
    });
  }

  /** @param {import("playwright-core").Browser} among @param {Server} server @param {import("playwright-core").BrowserContextOptions} options */
  static async open(among, server, options = {}) {
    const context = await among.newContext({ viewport: { width: 1440, height: 900 }, ...options });
    const page = await context.newPage();
    return new Visitor(page, server);
  }

  /** @param {string} nick @param {string} hash @param {string} url where the page is */
  async join(nick, hash = "", url = this.server.url) {
    await this.page.goto(url + hash);
    await this.page.fill("#join-nick", nick);
    await this.page.click("#join-button");
    await this.isIn();
    return this;
  }

  /** The name is theirs from now on. @param {string} password */
  async registers(password) {
    await this.types(`/register ${password}`);
    await this.page.waitForSelector("#lines .line:has-text('is yours')");
    return this;
  }

  /** The room is there, and who is in it: from now on they can type. */
  async isIn() {
    await this.page.waitForSelector("#people-title .num:not(:empty)", { state: "attached" });
  }

  /** @param {string} text */
  async types(text) {
    await this.page.fill("#write", text);
    await this.page.press("#write", "Enter");
  }

  /** What stands in the stream, one text a row. */
  lines() {
    return this.page.$$eval("#lines .line .said", (rows) => rows.map((row) => row.textContent ?? ""));
  }

  /** @param {string} text */
  async sees(text) {
    await until(async () => (await this.lines()).some((line) => line.includes(text)), `"${text}" on the page`);
  }

  /** How often a row says exactly this. @param {string} text */
  async times(text) {
    return (await this.lines()).filter((line) => line === text).length;
  }

  async leaves() {
    await this.page.context().close();
  }
}

/** Gives the tests of a suite a browser, and each of them a server and visitors, who leave after it. */
export function stage() {
  /** @type {import("playwright-core").Browser} */
  let chromium;
  /** @type {Server} */
  let server;
  /** @type {Visitor[]} */
  let visitors = [];
  const visit = async (options = {}) => {
    const visitor = await Visitor.open(chromium, server, options);
    visitors.push(visitor);
    return visitor;
  };

  before(async () => {
    chromium = await browser();
  });
  after(() => chromium?.close());
  beforeEach(async () => {
    server = await new Server().start();
  });
  afterEach(async () => {
    const wrong = visitors.flatMap((each) => each.wrong);
    for (const each of visitors) await each.leaves();
    visitors = [];
    await server.end();
    assert.deepEqual(wrong, [], "nothing went wrong on a page");
  });

  return {
    get server() {
      return server;
    },
    /** Somebody who has opened a browser. */
    visit,
    /** Somebody who has opened one more tab. @param {import("playwright-core").Page} page */
    follow(page) {
      const visitor = new Visitor(page, server);
      visitors.push(visitor);
      return visitor;
    },
    /** Somebody who is in. @param {string} nick */
    open: async (nick, hash = "", options = {}) => (await visit(options)).join(nick, hash),
  };
}
