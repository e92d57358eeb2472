// Whoever loses the connection goes on at the chat's next address, where that is as private.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Connection } from "../../../twisted_chat/page/connection.js";
import { elsewhere } from "../../../twisted_chat/page/route.js";
import { FakeClock, HOME, Server, Visit } from "./world.js";

const AWAY = "https://away.example:5001";
const FAR = "https://far.example";

test("a page goes on at pages that are as private as itself", () => {
  const told = ["a.example:5000", "tls://a.example:5001", AWAY, "http://plain.example"];
  assert.deepEqual(elsewhere(told, HOME), [AWAY]);
  assert.deepEqual(elsewhere(told, "http://home.example"), [AWAY, "http://plain.example"]);
  assert.deepEqual(elsewhere(told, "http://127.0.0.1:5000"), [AWAY]);
  assert.deepEqual(elsewhere(["http://127.0.0.1:5001"], "http://127.0.0.1:5000"), ["http://127.0.0.1:5001"]);
});

test("a server elsewhere sends nobody to ports of their own machine", () => {
  const inner = ["https://127.0.0.1:8443", "https://localhost", "http://[::1]:631", "http://127.1:80", "http://a.localhost"];
  for (const origin of [HOME, "http://home.example"]) assert.deepEqual(elsewhere(inner, origin), []);
});

test("what is no origin is passed over, and there are never more than a few", () => {
  const wrong = ["", "https://", "https://a.example/path", "https://me@a.example", "javascript:alert(1)", "https://a example"];
  assert.deepEqual(elsewhere(wrong, HOME), []);
  assert.deepEqual(elsewhere([HOME, AWAY, AWAY], HOME), [AWAY]);
  assert.equal(elsewhere(Array.from({ length: 99 }, (_, n) => `https://a${n}.example`), HOME).length, 16);
});

/** @implements {Socket} */
class Silent {
  /** @type {(() => void) | null} */
  onopen = null;
  /** @type {(() => void) | null} */
  onclose = null;
  /** @type {((event: {data: unknown}) => void) | null} */
  onmessage = null;
  isClosed = false;
  /** @param {string} at */
  constructor(at) {
    this.at = at;
  }
  send() {}
  close() {
    this.isClosed = true;
  }
}

/** Somebody who is in, and knows of two other addresses. */
function connected() {
  const clock = new FakeClock();
  /** @type {Silent[]} */
  const sockets = [];
  const connection = new Connection((at) => {
    const socket = new Silent(at);
    sockets.push(socket);
    return socket;
  }, HOME, clock);
  connection.open();
  connection.route.learn([AWAY, FAR]);
  const last = () => sockets[sockets.length - 1];
  const isLetIn = () => {
    last().onopen?.();
    connection.welcomed();
  };
  isLetIn();
  return { clock, sockets, connection, last, isLetIn };
}

test("the next address is tried at once, and after all of them there is a pause", () => {
  const { clock, sockets, connection, last } = connected();
  clock.advance(10_000);
  for (const at of [AWAY, FAR]) {
    last().onclose?.();
    assert.equal(connection.state, "connecting");
    clock.advance(0);
    assert.equal(last().at, at);
  }
  last().onclose?.();
  assert.equal(connection.state, "waiting");
  assert.equal(connection.nextTry - clock.now(), 750);
  clock.advance(750);
  assert.deepEqual(sockets.map((each) => each.at), [HOME, AWAY, FAR, HOME]);
});

test("one that hangs costs two seconds, but the last one has its time", () => {
  const { clock, connection, last } = connected();
  clock.advance(10_000);
  last().onclose?.();
  clock.advance(2000);
  assert.equal(last().at, FAR);
  clock.advance(9900);
  assert.equal(connection.state, "connecting");
  clock.advance(100);
  assert.equal(connection.state, "waiting");
});

test("a chat that throws one out at once is not tried in a circle", () => {
  const { clock, sockets, connection, last, isLetIn } = connected();
  for (let n = 0; n < 3; n++) {
    last().onclose?.();
    clock.advance(0);
    if (connection.state === "connecting") isLetIn();
  }
  assert.equal(connection.state, "waiting");
  assert.equal(sockets.length, 3);
});

test("whoever has left goes nowhere", () => {
  const { clock, sockets, connection, last } = connected();
  last().onclose?.();
  connection.close();
  clock.advance(60_000);
  assert.equal(sockets.length, 1);
});

test("the session goes on elsewhere: nothing is missed, nothing comes twice, and what was typed is said once", () => {
  const server = new Server();
  server.addresses = ["away.example:5000", AWAY];
  const clock = new FakeClock();
  const visit = new Visit(server, clock).join("alice");
  server.say("bob", "#lobby", "one");
  visit.settle();
  visit.client.send("on its way");
  visit.link.step(); // the server has it, and its answer is lost
  server.dead.add(HOME);
  server.cut();
  server.say("bob", "#lobby", "two");
  visit.client.send("typed meanwhile");
  clock.advance(0);
  visit.settle();
  assert.equal(visit.link.at, AWAY);
  assert.deepEqual(visit.texts("#lobby"), ["one", "on its way", "two", "typed meanwhile"]);
  assert.deepEqual(server.log("#lobby").map((each) => each.text), ["one", "on its way", "two", "typed meanwhile"]);
  assert.deepEqual(visit.client.outbox.lines, []);
});

/** @typedef {import("../../../twisted_chat/page/connection.js").Socket} Socket */
