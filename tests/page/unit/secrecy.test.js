// Lines with a password are known, also where somebody mistyped them.
import assert from "node:assert/strict";
import { test } from "node:test";
import { isSecret, shownOf } from "../../../twisted_chat/page/secrecy.js";

const SECRETS = [
  "/login alice hunter22",
  " /register hunter22",
  "/forget hunter22",
  "login alice hunter22",
  "-login hunter22",
  "login: hunter22",
  "/me /login hunter22",
  "/whisper bob /login hunter22",
  "@bob .identify hunter22",
];

test("a password is neither kept nor shown", () => {
  for (const line of SECRETS) {
    assert.ok(isSecret(line), line);
    assert.doesNotMatch(shownOf(line), /hunter22/u);
  }
});

test("other lines are kept and shown as they are", () => {
  for (const line of ["hello", "forget about it", "passwords are bad", "/login", "/topic Password rules"]) {
    assert.ok(!isSecret(line), line);
    assert.equal(shownOf(line), line);
  }
});
