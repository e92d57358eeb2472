// Names that are the same, texts in their parts, what completes, and what a server may say.
import assert from "node:assert/strict";
import { test } from "node:test";
import { complete } from "../../../twisted_chat/page/completion.js";
import { parts } from "../../../twisted_chat/page/format.js";
import { read } from "../../../twisted_chat/page/incoming.js";
import { caller, fold, hue } from "../../../twisted_chat/page/names.js";
import { addressed } from "../../../twisted_chat/page/rooms.js";
import { day, offline, passing } from "../../../twisted_chat/page/wording.js";

const kinds = (/** @type {string} */ text, nick = "") => parts(text, caller(nick)).map(({ kind, text }) => `${kind}:${text}`);

test("two spellings of a name are one", () => {
  assert.equal(fold("Straße"), fold("STRASSE"));
  assert.equal(fold("Zoe\u0308"), fold("ZOË"));
  assert.equal(hue("Bob"), hue("bOB"));
  assert.notEqual(fold("bob"), fold("rob"));
});

test("a name calls somebody as a whole word only", () => {
  for (const text of ["alice: hi", "hi @Alice", "(alice)", "ALICE!"]) assert.ok(caller("alice").test(text), text);
  for (const text of ["malice", "alice2", "alicë", "alice_b"]) assert.ok(!caller("alice").test(text), text);
  assert.ok(caller("דנה").test("שלום דנה"));
  assert.ok(!caller("").test("anything"));
});

test("an address is a link without the sentence around it", () => {
  assert.deepEqual(kinds("see http://a.example/x?y=1."), ["text:see ", "link:http://a.example/x?y=1", "text:."]);
  assert.deepEqual(kinds("(https://a.example/w_(x))"), ["text:(", "link:https://a.example/w_(x)", "text:)"]);
  assert.deepEqual(kinds("javascript:alert(1) ftp://a"), ["text:javascript:alert(1) ftp://a"]);
  assert.deepEqual(kinds("http:// is none"), ["text:http:// is none"]);
});

test("an address ends where a mark would turn the text around", () => {
  assert.deepEqual(kinds("http://a.example/\u202egpj.exe")[0], "link:http://a.example/");
});

test("code stands between backticks, and nothing in it is a link or a name", () => {
  assert.deepEqual(kinds("try `nc alice http://x.example` now", "alice"), ["text:try ", "code:nc alice http://x.example", "text: now"]);
  assert.deepEqual(kinds("a `` b ` c `` d"), ["text:a ", "code: b ` c ", "text: d"]);
  assert.deepEqual(kinds("one ` alone"), ["text:one ` alone"]);
});

test("markup is a text like any other", () => {
  assert.deepEqual(kinds("<img src=x onerror=alert(1)>"), ["text:<img src=x onerror=alert(1)>"]);
});

test("no text takes long to read", () => {
  for (const text of ["`".repeat(2000), "` ".repeat(1000), "http://".repeat(280), "(".repeat(2000) + "http://a.b/" + ")".repeat(2000), "a".repeat(2000)]) {
    const before = performance.now();
    parts(text, caller("aaaa"));
    assert.ok(performance.now() - before < 2000, text.slice(0, 20));
  }
});

const known = {
  commands: [
    { name: "/whisper", usage: "NICK TEXT", aliases: ["/msg", "/w"], help: "say something to one person alone" },
    { name: "/users", usage: "[ROOM]", aliases: ["/who"], help: "who is in a room" },
    { name: "/whois", usage: "NICK", aliases: [], help: "about somebody" },
  ],
  people: [{ nick: "bob", away: "" }, { nick: "Bea", away: "lunch" }, { nick: "carol", away: "" }],
  rooms: [{ name: "#lobby", topic: "" }, { name: "#dev", topic: "tea" }],
};
const offered = (/** @type {string} */ text) => complete(text, text.length, known)?.choices.map((each) => each.insert) ?? [];

test("commands complete, those whose own name begins so first", () => {
  assert.deepEqual(offered("/wh"), ["/whisper ", "/whois ", "/users "]);
  assert.deepEqual(offered("//wh"), []);
});

test("names complete after @, and where a command wants one", () => {
  assert.deepEqual(offered("thanks @b"), ["@bob ", "@Bea "]);
  assert.deepEqual(offered("/whisper B"), ["bob ", "Bea "]);
  assert.deepEqual(offered("/whisper bob c"), []);
  assert.deepEqual(offered("bo"), []);
});

test("rooms complete after #, and where a command wants one", () => {
  assert.deepEqual(offered("see #d"), ["#dev "]);
  assert.deepEqual(offered("/users l"), ["#lobby "]);
});

test("nothing that a server says makes the page fail", () => {
  for (const line of ["", "{", "null", "[]", "7", '{"event":7}', '{"event":"message"}', '{"event":"message","time":"never"}', '{"event":"__proto__"}']) {
    assert.equal(read(line), null, line);
  }
  const message = read('{"event":"message","id":-3,"time":"2026-11-20T12:35:02Z","from":7,"text":["x"],"room":"#a"}');
  assert.ok(message?.event === "message");
  assert.deepEqual([message.id, message.from, message.text], [0, "", ""]);
  const state = read('{"event":"state","room":"#a","members":[{"nick":"bob"},{"nick":7},null,3],"count":"many"}');
  assert.ok(state?.event === "state");
  assert.deepEqual([state.members.length, state.count], [1, 1]);
});

test("an address names a room, or whispers, or nothing", () => {
  assert.equal(addressed("#dev"), "#dev");
  assert.equal(addressed("#%E9%BA%BB%E9%9B%80"), "#麻雀");
  assert.equal(addressed("#@zoë"), "@zoë");
  for (const none of ["", "#", "#%", "#a%20b", "#a%0Ab"]) assert.equal(addressed(none), "", none);
});

test("comings and goings are told in a few words", () => {
  const who = (/** @type {string} */ nick, /** @type {"joined" | "left" | "away" | "back"} */ what) => ({ nick, what, why: "" });
  const plain = (/** @type {ReturnType<typeof who>[]} */ all) => passing(all).replace(/[\u2068\u2069]/g, "");
  assert.equal(plain([who("grace", "joined"), who("frank", "away")]), "grace joined, frank is away");
  assert.equal(plain([who("a", "joined"), who("b", "joined"), who("c", "joined"), who("d", "joined")]), "a, b and 2 others joined");
  assert.equal(plain([who("a", "joined"), who("a", "left")]), "a left");
});

test("days and waiting are told as people say them", () => {
  const noon = new Date(2026, 10, 20, 12).getTime();
  assert.equal(day(noon, noon + 3600_000), "Today");
  assert.equal(day(noon - 86_400_000, noon), "Yesterday");
  assert.equal(day(noon - 3 * 86_400_000, noon), "Tuesday 17 November");
  assert.equal(offline(3, 3.2), "3 lines waiting, next try in 4 s.");
  assert.equal(offline(0, 0), "next try in 1 s.");
});
