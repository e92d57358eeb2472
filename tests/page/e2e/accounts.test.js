// Names that are somebody's, on pages: logging in, several devices, and keeping a room in order.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { missing, stage, SUITE, until } from "./stage.js";

const SECRET = "correct horse";

describe("with an account", { skip: missing, timeout: SUITE }, () => {
  const scene = stage();
  const { visit, open } = scene;
  /** Somebody whose name is theirs from now on. @param {string} nick */
  const registered = async (nick) => (await open(nick)).registers(SECRET);
  /** Somebody at the question for the password of a name. @param {string} nick */
  const asked = async (nick, hash = "") => {
    const visitor = await visit();
    await visitor.page.goto(scene.server.url + hash);
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

  test("two tabs of one account agree on what is read", async () => {
    const bob = await scene.server.person("bob");
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
    bob.says("/join #lobby");
    bob.says("over here");
    await two.sees("over here"); // so "and now?" has come too
    await two.page.waitForSelector(badge, { state: "detached" }); // what one reads at once is read at once elsewhere
  });

  test("who comes back sees the rule where they stopped reading, on whatever device", async () => {
    const bob = await scene.server.program("bob");
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

  test("a registered name asks for its password, and the wrong one can be mended", async () => {
    await registered("alice");
    const visitor = await asked("alice");
    assert.match((await visitor.page.textContent("#nick-hint")) ?? "", /alice is registered\. If it is yours, give its password\./);
    await visitor.page.fill("#join-password", "wrong horse");
    await visitor.page.press("#join-password", "Enter");
    await visitor.page.waitForSelector("#password-error:visible");
    assert.match((await visitor.page.textContent("#password-error")) ?? "", /The nickname or the password is wrong/);
    assert.equal(await visitor.page.inputValue("#join-password"), "", "it is to be typed anew");
    assert.equal(await visitor.page.evaluate(() => document.activeElement?.id), "join-password");
    await visitor.page.fill("#join-password", SECRET);
    await visitor.page.press("#join-password", "Enter");
    await visitor.isIn();
    await visitor.types("it is me");
    await visitor.sees("it is me");
    await visitor.page.waitForSelector("#lines .line:has-text('it is me') .who svg"); // the mark of a registered name
  });

  test("somebody else at that question can take another name", async () => {
    await registered("alice");
    const visitor = await asked("alice");
    await visitor.page.fill("#join-nick", "alison");
    assert.equal(await visitor.page.isVisible("#join-password"), false, "no password is asked for that");
    await visitor.page.click("#join-button");
    await visitor.isIn();
    assert.equal(await visitor.page.textContent("#my-nick"), "alison");
  });

  test("too many wrong passwords have to wait, and the page says how long", async () => {
    await registered("alice");
    const visitor = await asked("alice");
    const error = visitor.page.locator("#password-error, #nick-error").and(visitor.page.locator(":visible"));
    await until(async () => {
      await visitor.page.fill("#join-password", "wrong horse");
      await visitor.page.click("#join-button");
      await visitor.page.waitForSelector("#join-button:enabled");
      return /wait|again in/.test((await error.first().textContent()) ?? "");
    }, "the wait");
    assert.equal(await visitor.page.isVisible("#join-password"), true, "the question stays");
  });

  test("a device that is remembered goes on after a reload, and no password is kept or shown", async () => {
    await registered("alice");
    const visitor = await loggedIn("alice", "", true);
    await visitor.types("/devices");
    await visitor.sees("this one");
    await visitor.page.reload();
    await visitor.isIn();
    assert.equal(await visitor.page.textContent("#my-nick"), "alice");
    await visitor.types(`/password ${SECRET} / ${SECRET} too`);
    await visitor.sees("Your password is changed.");
    const kept = await visitor.page.evaluate(() => JSON.stringify({ ...localStorage }) + JSON.stringify({ ...sessionStorage }) + document.body.innerText);
    assert.ok(!kept.includes("horse"), "no password anywhere");
    await visitor.page.press("#write", "ArrowUp");
    assert.equal(await visitor.page.inputValue("#write"), "/devices");
  });

  test("a device that was logged out elsewhere asks for the password, and goes on", async () => {
    const one = await registered("alice");
    const two = await loggedIn("alice");
    await two.types("typed before");
    await two.sees("typed before");
    await one.types("/devices end 2");
    await two.page.waitForSelector("#join-password:visible");
    await two.page.fill("#join-password", SECRET);
    await two.page.click("#join-button");
    await two.isIn();
    await two.types("back again");
    await two.sees("back again");
    assert.equal(await two.times("typed before"), 1);
  });

  test("who logs out is asked for the password when they come again", async () => {
    const one = await registered("alice");
    await one.types("/logout");
    await one.page.waitForSelector("#join-nick:visible");
    assert.equal(await one.page.inputValue("#join-nick"), "alice");
    await one.page.waitForSelector("#join-password:visible");
  });

  test("a guest who logs in goes on as somebody else", async () => {
    const one = await registered("alice");
    await one.types("/join #dev");
    await one.page.waitForSelector("#room-title:has-text('dev')");
    const guest = await open("gus");
    await guest.types(`/login alice ${SECRET}`);
    await guest.page.waitForSelector("#my-nick:has-text('alice')");
    await guest.page.waitForSelector('#rooms-nav a[href="#dev"]');
    await guest.types("as alice");
    await one.page.click('#rooms-nav a[href="#lobby"]');
    await one.sees("as alice");
    await guest.sees("as alice");
    assert.equal(await guest.page.$(".waits, .refused"), null);
  });

  test("a server that was killed and started again knows the devices", async () => {
    const one = await registered("alice");
    const two = await loggedIn("alice");
    await scene.server.stop("SIGKILL");
    await scene.server.start();
    for (const each of [one, two]) {
      await each.page.click("text=Try now", { timeout: 5000 }).catch(() => {});
      await each.page.waitForSelector("#link-strip", { state: "hidden" });
    }
    await one.types("still here");
    await two.sees("still here");
  });
});
