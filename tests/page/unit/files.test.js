// Files on their way, without a browser: asked for one by one, refused before or while they are sent.
import assert from "node:assert/strict";
import test from "node:test";
import { Files } from "../../../twisted_chat/page/files.js";
import { read } from "../../../twisted_chat/page/incoming.js";
import { sizeOf } from "../../../twisted_chat/page/wording.js";

const ROOM = { name: "#dev", key: "#dev" };
const MOST = 10_000_000;

/** What a test needs of an XMLHttpRequest. */
class Request {
  /** @type {Request[]} */
  static all = [];
  upload = { onprogress: (/** @type {{loaded: number}} */ _) => {} };
  onload = () => {};
  onerror = () => {};
  onabort = () => {};
  status = 0;
  responseText = "";
  path = "";

  open(/** @type {string} */ method, /** @type {string} */ path) {
    this.path = `${method} ${path}`;
  }

  send() {
    Request.all.push(this);
  }

  abort() {
    this.onabort();
  }

  /** @param {number} status @param {string} text */
  answers(status, text = "") {
    Object.assign(this, { status, responseText: text });
    this.onload();
  }
}

const file = (/** @type {string} */ name, size = 1000) => /** @type {File} */ ({ name, size });
const settled = () => new Promise((done) => setTimeout(done));

function sender() {
  Request.all = [];
  let count = 0;
  const ask = async () => `http://other.example:5000/upload/token${++count}/`;
  return new Files(ask, () => /** @type {XMLHttpRequest} */ (/** @type {unknown} */ (new Request())));
}

test("each file goes to an address of its own, on this origin, two at once", async () => {
  const files = sender();
  const all = files.send([file("a.txt"), file("b c.txt"), file("d.txt")], ROOM, MOST);
  await settled();
  assert.deepEqual(Request.all.map((each) => each.path), ["PUT /upload/token1/a.txt", "PUT /upload/token2/b%20c.txt"]);
  Request.all[0].upload.onprogress({ loaded: 400 });
  assert.equal(files.uploads[0].sent, 400);
  Request.all[0].answers(201, "http://other.example/file/x/a.txt");
  await settled();
  assert.equal(Request.all.length, 3);
  for (const each of Request.all.slice(1)) each.answers(201);
  await all;
  assert.deepEqual(files.uploads, []);
});

test("a file that is too large is not even asked for", async () => {
  const files = sender();
  await files.send([file("large", 24_000_000)], ROOM, MOST);
  assert.equal(files.uploads[0].reason, "That file has 24 MB, 10 MB is the most.");
  assert.equal(Request.all.length, 0);
  files.drop(files.uploads[0]);
  assert.deepEqual(files.uploads, []);
});

test("why a file is refused is said, in the server's words", async () => {
  const files = sender();
  const all = files.send([file("a")], ROOM, MOST);
  await settled();
  Request.all[0].answers(403, "You are muted in #dev by bob.\n");
  await all;
  assert.deepEqual([files.uploads[0].state, files.uploads[0].reason], ["refused", "You are muted in #dev by bob."]);
});

test("who may not ask is told why", async () => {
  const files = new Files(() => Promise.reject(new Error("You are muted.")));
  await files.send([file("a")], ROOM, MOST);
  assert.equal(files.uploads[0].reason, "You are muted.");
});

test("a file that is stopped is forgotten", async () => {
  const files = sender();
  const all = files.send([file("a"), file("b"), file("c")], ROOM, MOST);
  await settled();
  for (const each of [...files.uploads]) files.drop(each);
  await all;
  assert.deepEqual(files.uploads, []);
  assert.equal(Request.all.length, 2);
});

test("a file's address is only ever a path of this origin", () => {
  const told = (/** @type {string} */ url) => {
    const event = { event: "file", id: 1, time: "2026-11-20T12:35:02.123Z", room: "#dev", from: "bob", name: "a", type: "b", size: 5, url };
    const happened = /** @type {import("../../../twisted_chat/page/incoming.js").Happened} */ (read(JSON.stringify(event)));
    return happened.file?.path;
  };
  const key = "nClUbGbywiD2iJX1bshEeg";
  assert.equal(told(`http://chat.example:5000/file/${key}/a%20b.pdf`), `/file/${key}/a%20b.pdf`);
  for (const url of ["", "javascript:alert(1)", `http://x/file/${key}`, "http://x/file/short/a", `http://x/file/${key}/a/../../..`, `http://x/file/${key}/?x`, "/page/main.js"]) {
    const path = told(url);
    assert.ok(path === "" || path === `/file/${key}/`, `${url} became ${path}`);
  }
});

test("sizes are written as people say them", () => {
  const said = [1, 999, 1000, 12_345, 999_600, 1_234_567].map(sizeOf);
  assert.deepEqual(said, ["1 byte", "999 bytes", "1.0 kB", "12 kB", "1.0 MB", "1.2 MB"]);
});
