// Nothing is missed, nothing comes twice, and what one typed is said once, whatever breaks.
import assert from "node:assert/strict";
import { test } from "node:test";
import { chance, FakeClock, Server, Visit } from "./world.js";

const started = (room = "#lobby") => {
  const server = new Server();
  const clock = new FakeClock();
  return { server, clock, visit: new Visit(server, clock).join("alice", room) };
};

test("what was said while the connection was gone comes, in order", () => {
  const { server, visit } = started();
  server.say("bob", "#lobby", "one");
  visit.settle();
  server.cut();
  server.say("bob", "#lobby", "two");
  server.say("bob", "#lobby", "three");
  visit.comeBack();
  assert.deepEqual(visit.texts("#lobby"), ["one", "two", "three"]);
});

test("a line that the server had stored before the connection broke is not said again", () => {
  const { server, visit } = started();
  visit.client.send("hello");
  assert.deepEqual(visit.client.outbox.lines.map((each) => each.state), ["sending"]);
  visit.link.step(); // the server has it, and its answer is lost
  server.cut();
  visit.comeBack();
  assert.deepEqual(server.log("#lobby").map((each) => each.text), ["hello"]);
  assert.deepEqual(visit.texts("#lobby"), ["hello"]);
  assert.deepEqual(visit.client.outbox.lines, []);
});

test("a line that never arrived is sent when the connection is back", () => {
  const { server, visit } = started();
  visit.client.send("hello");
  server.cut();
  visit.comeBack();
  assert.deepEqual(server.log("#lobby").map((each) => each.text), ["hello"]);
  assert.deepEqual(visit.client.outbox.lines, []);
});

test("lines that were typed while offline are sent in their order", () => {
  const { server, visit } = started();
  server.isUp = false;
  server.cut();
  for (const text of ["one", "two", "three"]) visit.client.send(text);
  visit.settle();
  assert.deepEqual(visit.client.outbox.lines.map((each) => each.state), ["waiting", "waiting", "waiting"]);
  server.isUp = true;
  visit.comeBack();
  assert.deepEqual(visit.texts("#lobby"), ["one", "two", "three"]);
});

test("when the session is forgotten, a line of unknown fate is asked about and not repeated", () => {
  const { server, visit } = started();
  visit.client.send("hello");
  visit.link.step();
  server.forget();
  visit.comeBack();
  assert.deepEqual(server.log("#lobby").map((each) => each.text), ["hello"]);
  assert.deepEqual(visit.client.outbox.lines.map((each) => each.state), ["refused"]);
  visit.client.again(visit.client.outbox.lines[0]);
  visit.settle();
  assert.deepEqual(server.log("#lobby").map((each) => each.text), ["hello", "hello"]);
});

test("a forgotten session still catches up", () => {
  const { server, visit } = started("#dev");
  server.say("bob", "#dev", "one");
  visit.settle();
  server.forget();
  server.say("bob", "#dev", "two");
  visit.comeBack();
  assert.deepEqual(visit.texts("#dev"), ["one", "two"]);
});

test("after a reload one is where one was, with what was unread", () => {
  const { server, visit } = started("#dev");
  server.say("bob", "#lobby", "alice: look");
  server.say("bob", "#lobby", "at this");
  visit.settle();
  const next = visit.reload("w");
  server.say("bob", "#lobby", "please");
  next.comeBack();
  assert.equal(next.client.model.current, "#dev");
  const lobby = next.client.model.conversations.get("#lobby");
  assert.deepEqual([lobby?.unread, lobby?.mentions, lobby?.mark], [3, 1, 1]);
});

test("older lines load until there are none", () => {
  const { server, clock } = started();
  for (let n = 1; n <= 20; n++) server.say("bob", "#lobby", `line ${n}`);
  const visit = new Visit(server, clock, "w").join("carol");
  const lobby = visit.client.model.conversations.get("#lobby");
  assert.ok(lobby);
  assert.equal(visit.texts("#lobby").length, 5);
  while (!lobby.span.complete) {
    visit.client.older(lobby);
    visit.settle();
  }
  assert.deepEqual(visit.texts("#lobby"), Array.from({ length: 20 }, (_, n) => `line ${n + 1}`));
});

test("what comes a second time is shown once", () => {
  const { server, visit } = started();
  for (const text of ["one", "two"]) server.say("bob", "#lobby", text);
  visit.settle();
  const [one, two] = server.log("#lobby");
  visit.link.tell("#lobby", two);
  visit.settle();
  assert.deepEqual(visit.texts("#lobby"), ["one", "two"]);
  const lobby = visit.client.model.conversations.get("#lobby");
  assert.ok(lobby);
  const events = [one, two].map((each) => ({ ...each, room: "#lobby", time: "2026-11-20T12:35:02Z" }));
  visit.link.write({ event: "history", ref: "of before", room: "#lobby", events, more: false });
  visit.settle();
  assert.deepEqual(visit.texts("#lobby"), ["one", "two"]);
});

test("whispers are conversations again after a reload", () => {
  const { server, visit } = started();
  const [person] = server.sessions.values();
  server.whisper("bob", person, "psst");
  visit.settle();
  assert.deepEqual(visit.texts("@bob"), ["psst"]);
  const next = visit.reload("w");
  next.comeBack();
  assert.deepEqual(next.texts("@bob"), ["psst"]);
  assert.equal(next.client.model.conversations.get("@bob")?.unread, 1);
});

test("a server that kept nothing is read from its new beginning", () => {
  const { server, visit } = started();
  server.say("bob", "#lobby", "before");
  visit.settle();
  server.forget();
  server.logs = new Map([["#lobby", []]]);
  server.epoch = "e2";
  server.say("bob", "#lobby", "after");
  visit.comeBack();
  assert.deepEqual(visit.texts("#lobby"), ["before", "after"]);
  server.say("bob", "#lobby", "and on");
  visit.settle();
  assert.deepEqual(visit.texts("#lobby"), ["before", "after", "and on"]);
});

test("who has an account goes on as one more device where another tab has their session", () => {
  const server = new Server();
  const clock = new FakeClock();
  const { client } = new Visit(server, clock).logIn("alice");
  const visit = new Visit(server, clock, "w").logIn("alice");
  server.say("bob", "#lobby", "before");
  visit.settle();
  visit.client.send("typed just then");
  visit.client.beside = () => client.model.session;
  const { session } = visit.client.model;
  visit.link.write({ event: "error", code: "replaced", text: "This session continues on another connection." });
  visit.comeBack();
  server.say("bob", "#lobby", "after");
  visit.settle();
  assert.notEqual(visit.client.model.session, session);
  assert.deepEqual(visit.texts("#lobby").filter((text) => !text.startsWith("typed")), ["before", "after"]);
  assert.equal(visit.client.isReplaced, false);
});

test("a tab whose session is over comes back beside that of another", () => {
  const server = new Server();
  const clock = new FakeClock();
  const [{ client }, visit] = ["v", "w"].map((name) => new Visit(server, clock, name).logIn("alice"));
  visit.client.beside = () => client.model.session;
  server.sessions.delete(visit.client.model.session);
  visit.link.cut();
  server.say("bob", "#lobby", "meanwhile");
  visit.comeBack();
  assert.equal(visit.client.isIn, true);
  assert.equal(visit.client.model.account, "alice");
  assert.deepEqual(visit.texts("#lobby"), ["meanwhile"]);
});

test("a guest whose session another tab has waits to be asked back, and loses nothing that was typed", () => {
  const { server, visit } = started();
  visit.client.send("typed just then");
  visit.link.toServer.splice(0); // the other tab was faster
  visit.link.write({ event: "error", code: "replaced", text: "This session continues on another connection." });
  visit.comeBack();
  assert.deepEqual([visit.client.isReplaced, visit.client.isIn, visit.links.length], [true, false, 1]);
  visit.client.takeBack();
  visit.comeBack();
  assert.deepEqual(server.log("#lobby").map((each) => each.text), ["typed just then"]);
});

test("whatever breaks, nothing is missing, nothing is there twice, and everything typed was said once", () => {
  for (let seed = 1; seed <= 300; seed++) anyOldDay(seed);
});

/** @param {number} seed */
function anyOldDay(seed) {
  const random = chance(seed);
  const pick = (/** @type {string[]} */ among) => among[Math.floor(random() * among.length)];
  const { server, clock, visit: first } = started();
  let visit = first;
  /** @type {Set<string>} */
  const typed = new Set();
  let reloads = 0;
  const act = {
    others: () => server.say("bob", pick(["#lobby", "#dev"]), `bob ${random()}`),
    whispers: () => server.whisper("bob", [...server.sessions.values()][0], `psst ${random()}`),
    types: () => {
      const text = `alice ${random()}`;
      if (!visit.client.model.here) return;
      typed.add(text);
      visit.client.send(text);
    },
    joins: () => visit.client.go("#dev"),
    goes: () => visit.client.go("#lobby"),
    cuts: () => server.cut(),
    stops: () => {
      server.isUp = !server.isUp;
    },
    reloads: () => {
      visit = visit.reload(`r${++reloads}`);
    },
    steps: () => visit.link.step(),
    waits: () => clock.advance(500),
    reads: () => {
      visit.client.model.look(random() < 0.5);
      visit.client.tellRead();
    },
    older: () => {
      const { here } = visit.client.model;
      if (here) visit.client.older(here);
    },
  };
  const often = ["others", "types", "steps", "steps", "steps", "steps", "waits", "waits", "whispers", "older", "reads"];
  const seldom = ["joins", "goes", "cuts", "stops", "reloads"];
  for (let n = 0; n < 200; n++) act[/** @type {keyof typeof act} */ (pick(random() < 0.85 ? often : seldom))]();
  server.isUp = true;
  visit.comeBack();

  const { model, outbox } = visit.client;
  assert.deepEqual(outbox.lines, [], `seed ${seed}: everything typed has come to something`);
  const said = [...server.logs.values()].flat().filter((each) => each.from === "alice").map((each) => each.text);
  assert.deepEqual(new Set(said), typed, `seed ${seed}: everything typed was said`);
  assert.equal(said.length, typed.size, `seed ${seed}: and once`);
  for (const room of model.rooms) {
    const log = server.log(room.name);
    assert.equal(room.span.last, log.length, `seed ${seed}: the newest line is here`);
    const kept = log.filter((each) => each.id >= room.span.first).map((each) => each.id);
    assert.deepEqual(room.items.filter((each) => each.id).map((each) => each.id), kept, `seed ${seed}: no hole, nothing twice`);
  }
  const own = [...server.sessions.values()][0].own;
  const whispers = model.whispers.flatMap((each) => each.items).map((each) => each.id);
  assert.deepEqual(whispers, own.filter((each) => each.id >= model.own.first).map((each) => each.id), `seed ${seed}: whispers`);
}
