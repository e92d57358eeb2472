// A connection that is lost is noticed and made again; a machine that slept asks at once.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Connection } from "../../../twisted_chat/page/connection.js";
import { FakeClock, HOME } from "./world.js";

class Socket {
  /** @type {(() => void) | null} */
  onopen = null;
  /** @type {(() => void) | null} */
  onclose = null;
  /** @type {((event: {data: unknown}) => void) | null} */
  onmessage = null;
  /** @type {string[]} */
  sent = [];
  isClosed = false;
  /** @param {string} text */
  send(text) {
    this.sent.push(text);
  }
  close() {
    this.isClosed = true;
  }
}

function connected() {
  const clock = new FakeClock();
  /** @type {Socket[]} */
  const sockets = [];
  const connection = new Connection(() => {
    const socket = new Socket();
    sockets.push(socket);
    return socket;
  }, HOME, clock);
  connection.open();
  sockets[0].onopen?.();
  return { clock, sockets, connection };
}

test("the pauses between tries grow, up to a quarter of a minute", () => {
  const { clock, sockets, connection } = connected();
  const pauses = [];
  for (let n = 0; n < 8; n++) {
    sockets[sockets.length - 1].onclose?.();
    pauses.push(connection.nextTry - clock.now());
    clock.advance(connection.nextTry - clock.now());
  }
  assert.deepEqual(pauses, [750, 1500, 3000, 6000, 11250, 11250, 11250, 11250]);
  assert.equal(sockets.length, 9);
});

test("who was let in waits shortly again", () => {
  const { clock, sockets, connection } = connected();
  sockets[0].onclose?.();
  clock.advance(750);
  connection.welcomed();
  sockets[1].onclose?.();
  assert.equal(connection.nextTry - clock.now(), 750);
});

test("a silent connection is asked, and given up when it does not answer", () => {
  const { clock, sockets, connection } = connected();
  clock.advance(30_000);
  assert.deepEqual(sockets[0].sent, ['{"do":"ping"}']);
  clock.advance(11_000);
  assert.ok(sockets[0].isClosed);
  assert.ok(connection.state !== "open");
});

test("a connection that answers stays", () => {
  const { clock, sockets, connection } = connected();
  for (let n = 0; n < 10; n++) {
    clock.advance(28_000);
    sockets[0].onmessage?.({ data: '{"event":"pong"}' });
  }
  assert.equal(connection.state, "open");
  assert.equal(sockets.length, 1);
});

test("a laptop that wakes up knows within seconds", () => {
  const { clock, sockets, connection } = connected();
  clock.advance(4000);
  clock.sleep(3_600_000);
  clock.advance(2000);
  assert.deepEqual(sockets[0].sent, ['{"do":"ping"}']);
  clock.advance(3000);
  assert.ok(sockets[0].isClosed);
  assert.notEqual(connection.state, "open");
});

test("a connection that is never made is given up and tried again", () => {
  const clock = new FakeClock();
  let made = 0;
  const connection = new Connection(() => {
    made++;
    return new Socket();
  }, HOME, clock);
  connection.open();
  clock.advance(10_000);
  assert.equal(connection.state, "waiting");
  clock.advance(1000);
  assert.equal(made, 2);
});

test("nothing is tried after one has left", () => {
  const { clock, sockets, connection } = connected();
  connection.close();
  clock.advance(3_600_000);
  assert.equal(sockets.length, 1);
  assert.deepEqual(clock.timers, []);
});
