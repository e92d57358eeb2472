// What one does becomes the right request, and what the server says about it is shown.
import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock, Server, Visit } from "./world.js";

const TIME = "2026-11-20T12:35:02.123Z";

function joined() {
  const server = new Server();
  const clock = new FakeClock();
  const visit = new Visit(server, clock).join("alice");
  const { client } = visit;
  /** What the server says. @param {object} thing */
  const told = (thing) => {
    visit.link.write({ time: TIME, room: "#lobby", ...thing });
    visit.settle();
  };
  /** What is on its way to the server. */
  const asked = () => visit.link.toServer.splice(0);
  return { server, clock, visit, client, told, asked, room: (key = "#lobby") => client.model.conversations.get(key) };
}

test("what is said, whispered and commanded", () => {
  const { client, asked } = joined();
  client.send("hello\n\n  world  ");
  client.send("//etc is a folder");
  client.send("/etc/passwd\nis said, for it has two lines");
  client.send("/topic tea");
  client.send("@bob psst");
  const texts = asked().map((/** @type {any} */ each) => [each.do, each.text]);
  assert.deepEqual(texts, [
    ["say", "hello"], ["say", "  world"], ["say", "/etc is a folder"], ["say", "/etc/passwd"], ["say", "is said, for it has two lines"],
    ["command", "/topic tea"], ["command", "@bob psst"],
  ]);
});

test("what is typed into whispers is for that person, whatever it looks like", () => {
  const { client, asked } = joined();
  client.go("@bob");
  client.send("the first\nthe second");
  client.send("//not a command");
  assert.deepEqual(asked().map((/** @type {any} */ each) => each.text), ["/whisper bob the first", "/whisper bob the second", "/whisper bob /not a command"]);
});

test("eight lines are on their way at once, and the rest wait", () => {
  const { client, asked } = joined();
  client.send(Array.from({ length: 20 }, (_, n) => `line ${n}`).join("\n"));
  assert.equal(asked().length, 8);
});

test("a line that came too fast is sent again when the server says so, under another name", () => {
  const { client, told, asked, clock } = joined();
  client.send("hello");
  const [first] = /** @type {any[]} */ (asked());
  told({ event: "error", ref: first.ref, code: "too-fast", text: "That is too fast: wait 3 seconds.", wait: 3 });
  assert.deepEqual(asked(), []);
  clock.advance(3000);
  const [second] = /** @type {any[]} */ (asked());
  assert.equal(second.text, "hello");
  assert.notEqual(second.ref, first.ref);
});

test("a refusal stands beside its line, until it is tried again or dropped", () => {
  const { client, told, asked } = joined();
  client.send("hello");
  const [{ ref }] = /** @type {any[]} */ (asked());
  told({ event: "error", ref, code: "muted", text: "You are muted until 15:00." });
  const [line] = client.outbox.lines;
  assert.deepEqual([line.state, line.reason], ["refused", "You are muted until 15:00."]);
  client.again(line);
  assert.equal(asked().length, 1);
  client.drop(line);
  assert.deepEqual(client.outbox.lines, []);
});

test("a password is asked for, sent once, and never kept", () => {
  const { client, visit, clock } = joined();
  /** @type {string[]} */
  const refused = [];
  client.onRefused = (why) => refused.push(why.code);
  const next = new Visit(visit.server, clock, "w");
  next.client.onRefused = (why) => refused.push(why.code);
  next.client.join("bob", "#lobby");
  next.link.step();
  next.link.toServer.splice(0);
  next.link.write({ event: "error", code: "registered-nick", text: "bob is registered." });
  next.settle();
  assert.deepEqual(refused, ["registered-nick"]);
  next.client.join("bob", "#lobby", "secret", true);
  const [hello] = /** @type {any[]} */ (next.link.toServer);
  assert.deepEqual([hello.password, hello.remember], ["secret", true]);
  next.settle();
  assert.ok(!JSON.stringify(next.client.keep()).includes("secret"));
  visit.server.cut();
  clock.advance(1000);
  next.link.step();
  assert.ok(!JSON.stringify(next.link.toServer).includes("secret"));
});

test("a typed password is not shown, and not kept", () => {
  const { client } = joined();
  client.send("/register correct horse");
  assert.deepEqual(client.outbox.lines.map((each) => each.shown), ["/register ..."]);
  assert.ok(!JSON.stringify(client.keep()).includes("horse"));
  client.send("/login");
  assert.ok(client.outbox.lines.some((each) => each.shown === "/login"));
});

test("what is unread is counted, and the rule stands where one stopped reading", () => {
  const { client, told, room } = joined();
  client.model.look(true);
  told({ event: "message", id: 1, from: "bob", text: "read at once" });
  client.model.look(false);
  told({ event: "message", id: 2, from: "bob", text: "not read" });
  told({ event: "message", id: 3, from: "bob", text: "Alice: this too" });
  told({ event: "message", id: 4, from: "alice", text: "my own, from elsewhere" });
  assert.deepEqual([room()?.unread, room()?.mentions], [2, 1]);
  assert.equal(client.model.look(true), true);
  assert.deepEqual([room()?.unread, room()?.mentions, room()?.fresh], [0, 0, { id: 2, count: 2 }]);
  client.model.look(false);
  told({ event: "message", id: 5, from: "bob", text: "more" });
  client.model.look(true);
  assert.deepEqual(room()?.fresh, { id: 2, count: 2 }, "it never moves while one reads");
  client.go("@bob");
  assert.equal(room()?.fresh, null);
});

test("lines that are not kept any more leave a word; those that can be read later load as older ones", () => {
  const { told, room } = joined();
  told({ event: "message", id: 1, from: "bob", text: "one" });
  told({ event: "missed", count: 40 });
  told({ event: "message", id: 42, from: "bob", text: "forty-two" });
  assert.deepEqual(room()?.items.map((each) => each.kind), ["said", "gap", "said"]);
  told({ event: "missed", count: 5, kept: true });
  told({ event: "message", id: 48, from: "bob", text: "forty-eight" });
  assert.deepEqual([room()?.items.length, room()?.span.first, room()?.span.complete], [1, 48, false]);
});

test("a room that one has left is gone, whatever is still told of it", () => {
  const { client, told, room } = joined();
  told({ event: "state", room: "#dev", topic: "", members: [{ nick: "alice" }], count: 1 });
  client.go("#dev");
  told({ event: "leave", room: "#dev", from: "alice" });
  told({ event: "message", room: "#dev", id: 9, from: "bob", text: "late" });
  assert.equal(room("#dev"), undefined);
  assert.equal(client.model.current, "#lobby");
});

test("people come, go, are away and change their names", () => {
  const { told, room, client } = joined();
  told({ event: "join", from: "bob" });
  told({ event: "away", from: "bob", text: "lunch" });
  assert.equal(room()?.members.get("bob")?.away, "lunch");
  told({ event: "whisper", room: "@", id: 1, from: "bob", to: "alice", text: "psst" });
  client.go("@bob");
  told({ event: "rename", id: 1, from: "bob", to: "robert" });
  assert.equal(client.model.here?.name, "robert");
  assert.deepEqual([...(room()?.members.keys() ?? [])].sort(), ["alice", "robert"]);
  told({ event: "rename", id: 2, from: "alice", to: "Alicia" });
  assert.ok(client.model.isMe("alicia"));
  told({ event: "message", id: 3, from: "robert", text: "alicia?" });
  assert.equal(room()?.mentions, 1);
  told({ event: "leave", from: "robert", reason: "connection lost" });
  assert.deepEqual([...(room()?.members.keys() ?? [])], ["alicia"]);
  assert.equal(room()?.count, 1);
});

test("whoever is replaced by another tab does not fight for the session", () => {
  const { client, told, clock, visit } = joined();
  told({ event: "error", code: "replaced", text: "The session goes on over another connection." });
  clock.advance(600_000);
  assert.equal(client.isReplaced, true);
  assert.equal(visit.links.length, 1);
});

/** @type {[string, boolean, boolean, number][]} */
const READERS = [["who reads", true, true, 6000], ["who works in another window", false, true, 6000], ["who reads older lines", false, false, 20_000]];
for (const [who, reading, follows, most] of READERS) {
  test(`for somebody ${who}, a room is forgotten line by line, and its newest lines stay`, () => {
    const { client, told, room } = joined();
    client.model.look(reading, follows);
    for (let id = 1; id <= 21_000; id++) told({ event: "message", id, from: "bob", text: `line ${id}` });
    const here = room();
    assert.ok(here);
    assert.ok(here.items.length <= most, `${here.items.length} lines`);
    assert.equal(here.items.at(-1)?.text, "line 21000");
    assert.equal(here.span.first, here.items[0].id);
    assert.equal(here.span.complete, false);
    assert.equal(here.unread, reading ? 0 : 21_000);
  });
}

test("a decision counts as an event, and so does one that the page does not know: no line is forgotten", () => {
  const { told, room, visit } = joined();
  told({ event: "message", id: 1, from: "bob", text: "one" });
  told({ event: "kick", id: 2, from: "bob", to: "dan", reason: "noise" });
  told({ event: "sparkle", id: 3, from: "bob" });
  told({ event: "message", id: 4, from: "bob", text: "four" });
  assert.deepEqual(visit.texts("#lobby"), ["one", "four"]);
  assert.deepEqual(room()?.items.map((each) => each.text), ["one", "\u2068bob\u2069 removed \u2068dan\u2069 from \u2068#lobby\u2069: noise", "four"]);
});

test("decisions are told in the words that a terminal shows", () => {
  const { told, room } = joined();
  const until = "2026-11-20T12:47:07.000Z";
  const all = [
    { event: "role", to: "dan", role: "operator" }, { event: "role", from: "bob", to: "bob", role: "owner" }, { event: "role", to: "dan", role: "king" },
    { event: "mute", to: "dan", reason: "", until }, { event: "unmute", to: "dan" }, { event: "invite", to: "dan" },
    { event: "ban", target: "spam*", reason: "spam" }, { event: "unban", target: "spam*" }, { event: "close", reason: "enough" },
    { event: "setting", setting: "slow", value: "10 seconds" }, { event: "setting", setting: "lock", value: "off" }, { event: "setting", setting: "glow", value: "on" },
    { event: "hands", what: "raised", people: ["dan", "eve"] }, { event: "hands", what: "next", people: ["dan"] }, { event: "hands", what: "done", people: ["dan"] },
    { event: "hands", what: "done", people: ["bob"] }, { event: "hands", what: "cleared", people: [] }, { event: "hands", what: "gone", people: ["dan"] },
  ];
  all.forEach((each, n) => told({ from: "bob", ...each, id: n + 1 }));
  const said = room()?.items.map((each) => each.text.replace(/[\u2068\u2069]/g, ""));
  assert.deepEqual(said, [
    "bob made dan an operator of #lobby", "bob is the owner of #lobby", "bob changed the role of dan in #lobby",
    said?.[3], "bob let dan speak in #lobby again", "bob invited dan to #lobby",
    "bob banned spam* from #lobby: spam", "bob ended the ban of spam* from #lobby", "bob closed #lobby: enough",
    "bob slowed #lobby down to one message every 10 seconds from each person", "bob unlocked #lobby", "bob changed glow of #lobby to on",
    "dan and eve raised their hands in #lobby", "bob gives the word to dan in #lobby", "bob ended dan's turn in #lobby",
    "bob has given back the word in #lobby", "bob lowered all hands in #lobby",
  ]);
  assert.match(said?.[3] ?? "", /^bob muted dan in #lobby until \d\d:47$/);
});
