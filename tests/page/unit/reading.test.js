// What is read on one device is read on the others, and the rule "new" stands where one stopped.
import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock, Server, Visit } from "./world.js";

/** Alice on a laptop and on a phone, both looking elsewhere. */
function alice() {
  const server = new Server();
  const clock = new FakeClock();
  const [laptop, phone] = ["laptop", "phone"].map((name) => new Visit(server, clock, name).logIn("alice"));
  /** Carry everything, whoever it is for. */
  const settle = () => {
    for (let n = 0; n < 3; n++) {
      for (const each of [laptop, phone]) {
        each.client.tellRead();
        each.settle();
      }
      clock.advance(3000);
    }
  };
  /** @param {Visit} device @param {boolean} reading */
  const look = (device, reading) => {
    device.client.model.look(reading);
    settle();
  };
  /** @param {string} room @param {string[]} texts */
  const says = (room, ...texts) => {
    for (const text of texts) server.say("bob", room, text);
    settle();
  };
  settle();
  return { server, clock, laptop, phone, settle, look, says };
}

/** @param {Visit} device */
const unread = (device, key = "#lobby") => {
  const found = device.client.model.conversations.get(key);
  return found && [found.unread, found.mentions, found.mark];
};

test("what is read on the laptop is read on the phone", () => {
  const { laptop, phone, look, says } = alice();
  says("#lobby", "one", "alice: two");
  assert.deepEqual([unread(laptop), unread(phone)], [[2, 1, 1], [2, 1, 1]]);
  look(laptop, true);
  assert.deepEqual([unread(laptop), unread(phone)], [[0, 0, 0], [0, 0, 0]]);
  assert.equal(phone.client.model.here?.fresh, null, "the phone has nothing new to show");
});

test("what is said after that is unread again", () => {
  const { laptop, phone, look, says } = alice();
  says("#lobby", "one");
  look(laptop, true);
  look(laptop, false);
  says("#lobby", "two", "three");
  assert.deepEqual(unread(phone), [2, 0, 2]);
});

test("only what was read is read elsewhere", () => {
  const { laptop, phone, says, settle } = alice();
  says("#lobby", "one", "alice: two", "alice: three");
  laptop.link.send(JSON.stringify({ do: "read", room: "#lobby", id: 2 }));
  settle();
  assert.deepEqual(unread(phone), [1, 1, 3]);
});

test("who comes later sees how much is unread, also of what is not loaded yet", () => {
  const { server, clock, laptop, look, says } = alice();
  says("#lobby", "read");
  look(laptop, true);
  look(laptop, false);
  says("#lobby", ...Array.from({ length: 9 }, (_, n) => `line ${n}`));
  const tablet = new Visit(server, clock, "tablet");
  tablet.client.model.reading = true; // somebody looks at it all the time
  tablet.logIn("alice");
  assert.deepEqual(unread(tablet), [9, 0, 2]);
  tablet.client.model.look(true);
  assert.deepEqual(tablet.client.model.here?.fresh, { id: 2, count: 9 });
});

test("who looks at a room while its lines are still coming sees how much is unread in all", () => {
  const { server, clock, laptop, look, says } = alice();
  says("#lobby", "read");
  look(laptop, true);
  look(laptop, false);
  says("#lobby", ...Array.from({ length: 9 }, (_, n) => `line ${n}`));
  const tablet = new Visit(server, clock, "tablet");
  tablet.client.join("alice", "#lobby", "secret");
  while (tablet.link.step()) tablet.client.model.look(true);
  assert.deepEqual(tablet.client.model.here?.fresh, { id: 2, count: 9 });
  assert.deepEqual(unread(tablet), [0, 0, 0]);
});

test("who reloads the page while others talk sees how much is unread in all", () => {
  const { server, laptop, says } = alice();
  says("#lobby", "one", "two");
  const back = laptop.reload("again");
  for (const text of ["three", "four"]) server.say("bob", "#lobby", text);
  while (back.link.step()) back.client.model.look(true);
  assert.deepEqual(back.client.model.here?.fresh, { id: 1, count: 4 });
});

test("who reads something and leaves at once has read it", () => {
  const { server, laptop, says } = alice();
  const [person] = server.sessions.values();
  says("#lobby", "one");
  laptop.client.model.look(true);
  laptop.client.tellRead();
  server.say("bob", "#lobby", "two");
  laptop.settle();
  laptop.client.leave();
  laptop.settle();
  assert.equal(person.read.get("#lobby"), 2);
});

test("nothing is unread for somebody who has just come for the first time", () => {
  const { server, clock, says } = alice();
  says("#lobby", "one", "two");
  const carol = new Visit(server, clock, "carol").join("carol");
  assert.deepEqual(unread(carol), [0, 0, 0]);
});

test("whispers are read on all devices once nobody's is unread", () => {
  const { server, laptop, phone, settle, look } = alice();
  const [person] = server.sessions.values();
  server.whisper("bob", person, "psst");
  server.whisper("carol", person, "hey");
  settle();
  laptop.client.go("@bob");
  look(laptop, true);
  assert.deepEqual([unread(phone, "@bob"), unread(phone, "@carol")], [[0, 0, 0], [1, 1, 2]]);
  laptop.client.go("@carol");
  look(laptop, true);
  assert.deepEqual(unread(phone, "@carol"), [0, 0, 0]);
});

test("what was read elsewhere while the connection was gone is not unread", () => {
  const { laptop, phone, look, says, settle } = alice();
  says("#lobby", "one", "two", "three");
  phone.link.cut();
  look(laptop, true);
  phone.comeBack();
  settle();
  assert.deepEqual(unread(phone), [0, 0, 0]);
  const back = phone.reload("again");
  back.comeBack();
  assert.deepEqual(unread(back), [0, 0, 0]);
});

test("a reload knows what is unread although its lines are not loaded", () => {
  const { laptop, phone, says, settle } = alice();
  says("#lobby", "one", "two", "three");
  const kept = structuredClone(phone.client.keep());
  phone.client.connection.close();
  laptop.link.send(JSON.stringify({ do: "read", room: "#lobby", id: 1 }));
  settle();
  const back = new Visit(phone.server, phone.clock, "again");
  back.client.resume(kept, "");
  back.comeBack();
  assert.deepEqual(unread(back), [2, 0, 2]);
});

test("a refusal of that is shown to nobody", () => {
  const { laptop, look, says } = alice();
  says("#lobby", "one");
  laptop.client.model.look(true);
  laptop.client.tellRead();
  const [{ ref }] = /** @type {any[]} */ (laptop.link.toServer.splice(0));
  laptop.link.write({ event: "error", ref, code: "not-in-room", text: "You are not in #lobby." });
  look(laptop, true);
  assert.deepEqual(laptop.client.model.here?.items.map((each) => each.text), ["one"]);
});

test("the server is told seldom, however much is said", () => {
  const { server, clock, laptop } = alice();
  laptop.client.model.look(true);
  laptop.settle();
  const asked = [];
  for (let n = 0; n < 300; n++) {
    server.say("bob", "#lobby", `line ${n}`);
    laptop.settle();
    laptop.client.tellRead();
    clock.advance(100);
    asked.push(...laptop.link.toServer.filter((/** @type {any} */ each) => each.do === "read"));
  }
  assert.ok(asked.length >= 5 && asked.length <= 12, `${asked.length} requests in 30 seconds`);
});
