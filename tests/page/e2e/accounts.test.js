// Names that are somebody's, on pages: logging in, several devices, and keeping a room in order.
import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, describe, test } from "node:test";
import { browser, missing, Server, sleep, until, Visitor } from "./stage.js";

const SECRET = "correct horse";

describe("with an account", { skip: missing, timeout: 300_000 }, () => {
  /** @type {import("playwright-core").Browser} */
  let chromium;
  /** @type {Server} */
  let server;
  /** @type {Visitor[]} */
  let visitors = [];
  const visit = async () => {
    const visitor = await Visitor.open(chromium, server);
    visitors.push(visitor);
    return visitor;
  };
  const open = async (/** @type {string} */ nick, hash = "") => (await visit()).join(nick, hash);
  /** Somebody whose name is theirs from now on. @param {string} nick */
  const registered = async (nick) => {
    const visitor = await open(nick);
    await visitor.types(`/register ${SECRET}`);
    await visitor.page.waitForSelector("#lines .line:has-text('is yours')");
    return visitor;
  };
  /** Somebody at the question for the password of a name. @param {string} nick */
  const asked = async (nick, hash = "") => {
    const visitor = await visit();
    await visitor.page.goto(server.url + hash);
    await visitor.page.fill("#join-nick", nick);
    await visitor.page.click("#join-button");
    await visitor.page.waitForSelector("#join-password:visible");
    return visitor;
  };
  /** One more device of somebody. @param {string} nick */
  const loggedIn = async (nick, hash = "", remember = false) => {
    const visitor = await asked(nick, hash);
    await visitor.page.fill("#join-password", SECRET);
    await visitor.page.setChecked("#join-remember", remember);
    await visitor.page.click("#join-button");
    await visitor.isIn();
    return visitor;
  };

  before(async () => {
    chromium = await browser();
  });
  after(() => chromium?.close());
  beforeEach(async () => {
    server = await new Server().start();
  });
  afterEach(async () => {
    const wrong = visitors.flatMap((each) => each.wrong);
    for (const each of visitors) await each.leaves();
    visitors = [];
    await server.end();
    assert.deepEqual(wrong, [], "nothing went wrong on a page");
  });

  test("two tabs of one account agree on what is read", async () => {
    const bob = await server.person("bob");
    bob.says("/join #dev");
    const one = await registered("alice");
    await one.types("/join #dev");
    const two = await loggedIn("alice", "#lobby");
    const badge = '#rooms-nav a[href="#dev"] .n';
    await two.page.waitForSelector('#rooms-nav a[href="#dev"]');
    await one.page.click('#rooms-nav a[href="#lobby"]');
    bob.says("hello");
    bob.says("alice: are you there?");
    await one.page.waitForSelector(`${badge}.at`);
    await two.page.waitForSelector(`${badge}.at`);
    await one.page.click('#rooms-nav a[href="#dev"]');
    await one.sees("alice: are you there?");
    await two.page.waitForSelector(badge, { state: "detached" });
    assert.doesNotMatch(await two.page.title(), /^\(/);
    bob.says("and now?");
    await one.sees("and now?");
    await sleep(4000);
    assert.equal(await two.page.$(badge), null, "what one reads at once is read at once elsewhere");
  });

  test("who comes back sees the rule where they stopped reading, on whatever device", async () => {
    const bob = await server.program("bob");
    const one = await registered("alice");
    bob.does({ do: "say", room: "#lobby", text: "the last that alice reads" });
    await one.sees("the last that alice reads");
    await one.types("/quit");
    await one.page.waitForSelector("#join-nick:visible");
    for (let n = 1; n <= 60; n++) bob.does({ do: "say", room: "#lobby", text: `line ${n}`, ref: String(n) });
    await until(() => bob.heard.includes('"ref":"60"'), "sixty lines");
    const two = await loggedIn("alice");
    await two.sees("line 60");
    await two.page.click("#up");
    await until(async () => (await two.lines()).includes("the last that alice reads"), "what she has read");
    await two.page.waitForSelector("#lines .rule.new:has-text('60 new messages'), #lines .rule.new:has-text('New: 60 messages')");
    const next = await two.page.evaluate(() => document.querySelector("#lines .rule.new")?.nextElementSibling?.textContent);
    assert.match(next ?? "", /line 1$/);
  });
});
