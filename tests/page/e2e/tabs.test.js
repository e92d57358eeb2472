// Several tabs of one browser: each just works, and none ends another.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { missing, persistent, sleep, stage, SUITE, until, Visitor } from "./stage.js";

const SECRET = "correct horse";
const ELSEWHERE = "text=in another tab";
const REPLACED = "text=You went on in another tab or window.";

describe("tabs of one browser", { skip: missing, timeout: SUITE }, () => {
  const scene = stage();
  const { open } = scene;
  /** A new tab of somebody's browser. @param {Visitor} visitor */
  const newTab = async (visitor, hash = "") => {
    const tab = scene.follow(await visitor.page.context().newPage());
    await tab.page.goto(scene.server.url + hash);
    return tab;
  };
  /** The same tab once more, with a copy of what is kept for it. @param {Visitor} visitor */
  const duplicate = async (visitor) => {
    const opened = visitor.page.context().waitForEvent("page");
    await visitor.page.evaluate(() => void open(location.href));
    return scene.follow(await opened);
  };
  /** @param {string} nick */
  const registered = async (nick) => {
    const visitor = await (await open(nick)).registers(SECRET);
    await visitor.page.waitForFunction(() => JSON.parse(localStorage.getItem("chat.session") ?? "{}").model?.account);
    return visitor;
  };
  /** Both say something, and read it in both. @param {Visitor} one @param {Visitor} two */
  const bothAreAlive = async (one, two) => {
    for (const [from, text] of /** @type {[Visitor, string][]} */ ([[one, "from the first tab"], [two, "from the second tab"]])) {
      await from.types(text);
      for (const each of [one, two]) await each.sees(text);
    }
    for (const each of [one, two]) assert.equal(await each.page.$(REPLACED), null);
  };

  test("a guest's second tab asks, and either tab goes on when one says so", async () => {
    const [one, bob] = [await open("alice"), await scene.server.person("bob")];
    const two = await newTab(one);
    await two.page.waitForSelector(ELSEWHERE);
    assert.match((await two.page.textContent("#elsewhere-text")) ?? "", /You are here as .alice. in another tab/);
    await one.types("the first tab goes on");
    await one.sees("the first tab goes on");
    await two.page.click("#elsewhere-here");
    await two.isIn();
    await two.types("from the second tab");
    await two.sees("from the second tab");
    await one.page.waitForSelector(REPLACED);
    await sleep(3000); // none takes it back by itself
    await one.page.click("#link-strip >> text=Use it here");
    await one.sees("from the second tab");
    await one.types("from the first tab");
    await until(() => bob.heard.includes("alice: from the first tab"), "the first tab's line");
    await two.page.waitForSelector(REPLACED);
    assert.ok(!bob.heard.includes("alice has"), "nobody saw them come or go");
  });

  test("a guest's second tab can be somebody else", async () => {
    const one = await open("alice");
    const two = await newTab(one);
    await two.page.waitForSelector(ELSEWHERE);
    await two.page.fill("#join-nick", "alison");
    await two.page.click("#join-button");
    await two.isIn();
    await bothAreAlive(one, two);
    for (const [each, nick] of /** @type {[Visitor, string][]} */ ([[two, "alison"], [one, "alice"]])) {
      await each.page.reload();
      await each.isIn();
      assert.equal(await each.page.textContent("#my-nick"), nick, "each tab comes back to its own");
    }
  });

  test("a guest who closes the first tab goes on in the next", async () => {
    const one = await open("alice");
    await one.types("/join #tea");
    await one.page.waitForSelector("#room-title:has-text('tea')");
    await one.types("in the first tab");
    await one.sees("in the first tab");
    const asking = await newTab(one);
    await asking.page.waitForSelector(ELSEWHERE);
    await one.page.close();
    const next = await newTab(asking, "#tea");
    await next.isIn();
    await next.types("in the next tab");
    await next.sees("in the next tab");
    await asking.page.click("#elsewhere-here");
    await asking.sees("in the next tab");
  });

  test("a guest's tab that is duplicated asks too", async () => {
    const one = await open("alice");
    const two = await duplicate(one);
    await two.page.waitForSelector(ELSEWHERE);
    await one.types("still here");
    await one.sees("still here");
  });

  test("the second tab of an account is one more device, without the password", async () => {
    const one = await registered("alice");
    const two = await newTab(one, "#lobby");
    await two.isIn();
    await bothAreAlive(one, two);
    const bob = await scene.server.person("bob");
    await one.page.close();
    await two.page.reload();
    await two.isIn();
    await two.types("the first tab is closed");
    await until(() => bob.heard.includes("alice: the first tab is closed"), "the second tab's line");
    assert.ok(!bob.heard.includes("alice has"), "nobody saw them come or go");
  });

  test("whoever closes the last tab that they opened comes back to the one that is open", async () => {
    const one = await registered("alice");
    const two = await newTab(one);
    await two.isIn();
    const first = () => one.page.evaluate(() => localStorage.getItem("chat.session") === sessionStorage.getItem("chat.session"));
    await until(async () => !(await first()), "the second tab is the newest");
    await two.page.close();
    await until(first, "it is the first one again");
  });

  test("a tab of an account that is duplicated is one more device, and so is its copy", async () => {
    const one = await registered("alice");
    const two = await duplicate(one);
    await two.isIn();
    const three = await duplicate(two);
    await three.isIn();
    await bothAreAlive(one, three);
    await bothAreAlive(two, three);
  });

  test("nothing rings in one tab while somebody looks at the other", async () => {
    const bob = await scene.server.program("bob");
    const one = await registered("alice");
    const two = await newTab(one);
    await two.isIn();
    const asks = '#ask-strip:has-text("named you while you were in another window")';
    /** @param {Visitor} tab @param {boolean} isLookedAt */
    const look = (tab, isLookedAt) => tab.page.evaluate((has) => {
      document.hasFocus = () => has;
      dispatchEvent(new Event(has ? "focus" : "blur"));
    }, isLookedAt);
    await one.page.evaluate(() => {
      new BroadcastChannel("chat").onmessage = ({ data }) => (document.documentElement.dataset.looked = data.nick);
    });
    await look(one, false);
    await look(two, true);
    await one.page.waitForSelector('html[data-looked="alice"]', { state: "attached" });
    bob.does({ do: "say", room: "#lobby", text: "alice: do you see this?" });
    for (const each of [one, two]) await each.sees("alice: do you see this?");
    assert.equal(await one.page.isVisible(asks), false);
    await look(two, false);
    await one.page.waitForSelector('html[data-looked=""]', { state: "attached" });
    bob.does({ do: "say", room: "#lobby", text: "alice: and this?" });
    await one.page.waitForSelector(asks);
  });

  test("who leaves in one tab is still there in the other, and is asked for a name after a reload", async () => {
    const one = await registered("alice");
    const two = await newTab(one);
    await two.isIn();
    await two.types("/quit");
    await two.page.waitForSelector("#join-nick:visible");
    await two.page.reload();
    await two.page.waitForSelector("#join-nick:visible");
    await one.types("still here");
    await one.sees("still here");
  });

  test("a tab that was logged out asks for the password, although another tab is logged in", async () => {
    const one = await registered("alice");
    const two = await newTab(one);
    await two.isIn();
    await one.types("/devices end 2");
    await two.page.waitForSelector("#join-password:visible");
    await two.page.fill("#join-password", SECRET);
    await two.page.click("#join-button");
    await two.isIn();
    await bothAreAlive(one, two);
  });

  test("a browser that is started again comes back to the session", async () => {
    const folder = mkdtempSync(join(tmpdir(), "browser-"));
    try {
      const first = await persistent(folder);
      const one = await new Visitor(await first.newPage(), scene.server).join("alice");
      await one.types("before");
      await one.sees("before");
      await first.close();
      const again = await persistent(folder);
      const two = new Visitor(await again.newPage(), scene.server);
      await two.page.goto(scene.server.url);
      await two.isIn();
      assert.equal(await two.page.textContent("#my-nick"), "alice");
      await two.types("after");
      await two.sees("after");
      await again.close();
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
