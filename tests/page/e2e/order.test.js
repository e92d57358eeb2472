// Rooms kept in order from the page: what one's role allows, and what everybody sees of it.
import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { missing, sleep, stage, SUITE, until } from "./stage.js";

describe("keeping order", { skip: missing, timeout: SUITE }, () => {
  const scene = stage();
  const { open } = scene;
  /** @type {import("./stage.js").Visitor} */
  let alice;
  /** @type {Awaited<ReturnType<import("./stage.js").Server["person"]>>} */
  let bob;
  /** In the room of alice. @param {import("./stage.js").Visitor} visitor */
  const inDev = async (visitor) => {
    await visitor.types("/join #dev");
    await visitor.page.waitForSelector("#room-title:has-text('dev')");
  };
  /** What stands in somebody's menu. @param {import("./stage.js").Visitor} visitor @param {string} nick */
  const menu = async (visitor, nick) => {
    await visitor.page.click(`#folk [data-nick="${nick}"]`);
    return visitor.page.$$eval(".menu button", (all) => all.map((each) => each.textContent ?? ""));
  };
  /** @param {string} nick @param {string} entry */
  const choose = async (nick, entry, by = alice) => {
    await menu(by, nick);
    await by.page.click(`.menu button:has-text("${entry}")`);
  };
  /** @param {string} nick @param {string} group */
  const isAmong = (nick, group) => alice.page.waitForSelector(`#folk section:has(h3:has-text("${group}")) [data-nick="${nick}"]`);

  beforeEach(async () => {
    alice = await open("alice");
    await alice.registers("correct horse");
    await inDev(alice);
    bob = await scene.server.person("bob");
    bob.says("/join #dev");
    await alice.page.waitForSelector('#folk [data-nick="bob"]');
  });

  test("what is decided stands among the lines, which stay", async () => {
    bob.says("before");
    await alice.sees("before");
    await choose("bob", "Give voice");
    await alice.sees("gave \u2068bob\u2069 voice in \u2068#dev\u2069");
    bob.says("after");
    await alice.sees("after");
    assert.equal(await alice.times("before"), 1);
    await alice.page.reload();
    await alice.sees("gave \u2068bob\u2069 voice in \u2068#dev\u2069");
  });

  test("roles are given and taken, and the list of people shows them", async () => {
    await choose("bob", "Give voice");
    await isAmong("bob", "Voiced");
    await choose("bob", "Take voice");
    await isAmong("bob", "Here");
    await choose("bob", "Make operator");
    await isAmong("bob", "Operators");
    await menu(alice, "bob");
    assert.equal(await alice.page.textContent(".menu .title p"), "here, operator");
    await alice.page.keyboard.press("Escape");
    await until(() => bob.heard.includes("alice made bob an operator of #dev"), "bob is told");
    await choose("bob", "Take the operator's role");
    await isAmong("bob", "Here");
    assert.equal(await alice.page.$(".refused"), null);
  });

  test("somebody is muted, with a time and a reason", async () => {
    await choose("bob", "Mute…");
    assert.equal(await alice.page.inputValue("#write"), "/mute bob ");
    await alice.page.keyboard.type("10m noise");
    await alice.page.keyboard.press("Enter");
    await alice.sees("muted \u2068bob\u2069 in \u2068#dev\u2069 until");
    bob.says("can you hear me?");
    await until(() => bob.heard.includes("!!! You are muted in #dev"), "bob is told");
    await alice.page.reload();
    await choose("bob", "Let them speak again");
    await alice.sees("let \u2068bob\u2069 speak in \u2068#dev\u2069 again");
  });

  test("somebody is removed, and comes back", async () => {
    await choose("bob", "Kick…");
    await alice.page.keyboard.type("calm down");
    await alice.page.keyboard.press("Enter");
    await alice.sees("removed \u2068bob\u2069 from \u2068#dev\u2069: calm down");
    await alice.page.waitForSelector('#folk [data-nick="bob"]', { state: "detached" });
    bob.says("/join #dev");
    await alice.page.waitForSelector('#folk [data-nick="bob"]');
  });

  test("somebody is banned, and let in again", async () => {
    bob.says("spam, spam, spam");
    await alice.sees("spam, spam, spam");
    await choose("bob", "Ban…");
    await alice.page.keyboard.type("1d spam");
    await alice.page.keyboard.press("Enter");
    await alice.sees("banned \u2068bob\u2069 from \u2068#dev\u2069 until");
    await alice.page.waitForSelector('#folk [data-nick="bob"]', { state: "detached" });
    bob.says("/join #dev");
    await until(() => bob.heard.includes("!!! You are banned from #dev until"), "bob is told");
    await alice.page.reload();
    await alice.page.click("#lines button.nick:has-text('bob')");
    await alice.page.click('.menu button:has-text("End the ban")');
    await alice.sees("ended the ban of \u2068bob\u2069 from \u2068#dev\u2069");
    bob.says("/join #dev");
    await alice.page.waitForSelector('#folk [data-nick="bob"]');
  });

  test("whoever is removed on a page is told why, and is in another room", async () => {
    const carol = await open("carol");
    await inDev(carol);
    await alice.page.waitForSelector('#folk [data-nick="carol"]');
    await choose("carol", "Kick…");
    await alice.page.keyboard.type("calm down");
    await alice.page.keyboard.press("Enter");
    await carol.sees("You were removed from #dev by alice: calm down");
    assert.equal(await carol.page.textContent("#room-title"), "#lobby");
    assert.equal(await carol.page.$('#rooms-nav a[href="#dev"]'), null);
    await carol.types("here I am");
    await carol.sees("here I am");
    await inDev(carol);
    await carol.types("and here");
    await carol.sees("and here");
  });

  test("nobody is offered what their role does not allow", async () => {
    const carol = await open("carol");
    await inDev(carol);
    const orders = /voice|Mute|Kick|Ban|operator/;
    assert.deepEqual((await menu(carol, "bob")).filter((each) => orders.test(each)), []);
    await carol.page.keyboard.press("Escape");
    await choose("carol", "Make operator");
    await carol.page.waitForSelector('#folk section:has(h3:has-text("Operators")) [data-nick="carol"]');
    assert.deepEqual((await menu(carol, "bob")).filter((each) => orders.test(each)), ["Give voice", "Mute…", "Kick…", "Ban…"]);
    await carol.page.keyboard.press("Escape");
    assert.deepEqual((await menu(carol, "alice")).filter((each) => orders.test(each)), [], "nobody above oneself");
    await carol.page.keyboard.press("Escape");
  });

  test("whoever is ignored can be heard again", async () => {
    await choose("bob", "Ignore");
    await alice.sees("You are ignoring bob");
    bob.says("nobody hears me");
    await alice.page.reload();
    await choose("bob", "Show their messages again");
    await until(() => alice.page.$eval("#lines", (lines) => !lines.querySelector(".waits")), "the answer");
    bob.says("and now?");
    await alice.sees("and now?");
    assert.ok((await menu(alice, "bob")).includes("Ignore"));
  });

  test("a refusal says which right is missing", async () => {
    const carol = await open("carol");
    await inDev(carol);
    await carol.types("/kick bob");
    await carol.page.waitForSelector(".refused .note:has-text('alice')");
  });

  test("a room's settings, its hands and its end are told", async () => {
    await alice.types("/moderated on");
    await alice.sees("made \u2068#dev\u2069 moderated: only voiced people can speak");
    bob.says("/hand");
    await alice.sees("\u2068bob\u2069 raised a hand in \u2068#dev\u2069");
    await alice.types("/next");
    await alice.sees("gives the word to \u2068bob\u2069 in \u2068#dev\u2069");
    bob.says("my question");
    await alice.sees("my question");
    await alice.types("/lock");
    await alice.sees("locked \u2068#dev\u2069: only those who are invited can join");
    await alice.types("/close enough");
    await alice.sees("closed \u2068#dev\u2069: enough");
    await until(() => bob.heard.includes("You were removed from #dev by alice: enough"), "bob is told");
    await sleep(200);
    assert.equal(await alice.times("my question"), 1);
  });
});
