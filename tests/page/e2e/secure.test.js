// The page over TLS: the same port, and a WebSocket that nobody on the way can read.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { browser, missing, Server, SUITE, until, Visitor } from "./stage.js";

describe("over TLS", { skip: missing, timeout: SUITE }, () => {
  /** @type {import("playwright-core").Browser} */
  let chromium;
  /** @type {Server} */
  let server;

  before(async () => {
    chromium = await browser();
    server = await new Server("--tls-port", "0").start();
  });
  after(async () => {
    await chromium?.close();
    await server?.end();
  });

  test("a page talks to a terminal, and much at once arrives in order", async () => {
    const bob = await server.program("bob");
    const alice = await Visitor.open(chromium, server, { ignoreHTTPSErrors: true });
    await alice.join("alice", "", `https://127.0.0.1:${server.port}/`);
    assert.equal(await alice.page.evaluate(() => location.protocol), "https:");
    await alice.types("hello from alice");
    await until(() => bob.heard.includes("hello from alice"), "alice's line");
    for (let n = 1; n <= 300; n++) bob.does({ do: "say", room: "#lobby", text: `line ${n} ${"and so on ".repeat(n % 90)}` });
    await alice.sees("line 300");
    const numbers = (await alice.lines()).map((each) => Number(/^line (\d+)/.exec(each)?.[1] ?? 0)).filter(Boolean);
    assert.deepEqual(numbers, [...numbers.keys()].map((n) => n + 301 - numbers.length));
    assert.deepEqual(alice.wrong, []);
    await alice.leaves();
  });
});
