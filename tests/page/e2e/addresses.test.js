// A page whose way to the server is cut goes on at the chat's other address.
import assert from "node:assert/strict";
import net from "node:net";
import { after, before, describe, test } from "node:test";
import { browser, missing, Server, SUITE, until, Visitor } from "./stage.js";

/** A port of this machine on which nobody listens. @returns {Promise<number>} */
const free = () =>
  new Promise((done) => {
    const probe = net.createServer().listen(0, "127.0.0.1", () => {
      const { port } = /** @type {net.AddressInfo} */ (probe.address());
      probe.close(() => done(port));
    });
  });

/** One way to a server, which can be cut. */
class Relay {
  /** @type {Set<net.Socket>} */
  ends = new Set();

  /** @param {number} port @param {number} to */
  constructor(port, to) {
    this.listening = net.createServer((one) => {
      const other = net.connect(to, "127.0.0.1");
      for (const [end, beyond] of [[one, other], [other, one]]) {
        this.ends.add(end);
        end.on("error", () => {}).on("close", () => beyond.destroy());
        end.pipe(beyond);
      }
    }).listen(port, "127.0.0.1");
  }

  cut() {
    this.listening.close();
    for (const end of this.ends) end.destroy();
  }
}

describe("a chat with two addresses", { skip: missing, timeout: SUITE }, () => {
  /** @type {import("playwright-core").Browser} */
  let chromium;
  /** @type {Server} */
  let server;
  /** @type {Relay} */
  let relay;
  let home = "";

  before(async () => {
    chromium = await browser();
    const [way, port] = [await free(), await free()];
    home = `http://127.0.0.1:${way}`;
    server = new Server("--join-with", `${home},http://127.0.0.1:${port}`);
    server.webPort = port;
    await server.start();
    relay = new Relay(way, port);
  });
  after(async () => {
    await chromium?.close();
    relay?.cut();
    await server?.end();
  });

  test("when one is cut, the page goes on at the other: nothing is missed, nothing comes twice", async () => {
    const bob = await server.program("bob");
    const says = (/** @type {string} */ text) => bob.does({ do: "say", room: "#lobby", text });
    const alice = await Visitor.open(chromium, server);
    await alice.join("alice", "", `${home}/`);
    says("before 1");
    await alice.types("before 2");
    await alice.sees("before 2");
    await until(() => bob.heard.includes("before 2"), "alice's line");
    relay.cut();
    says("after 1");
    await alice.types("after 2");
    await until(() => bob.heard.includes("after 2"), "alice's line over the other way");
    says("after 3");
    await alice.sees("after 3");
    const said = (await alice.lines()).filter((each) => /^(before|after) \d$/.test(each));
    assert.deepEqual(said.sort(), ["after 1", "after 2", "after 3", "before 1", "before 2"]);
    assert.ok(!bob.heard.includes('"event":"leave"'), "nobody saw her go");
    assert.deepEqual(alice.wrong, []);
    await alice.leaves();
  });
});
