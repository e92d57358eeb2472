// The page on a phone and in the dark, for the keyboard, and for who cannot see it.
import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { after, before, describe, test } from "node:test";
import { browser, missing, Server, SUITE, until, Visitor } from "./stage.js";

const SHOTS = process.env.SHOTS ?? "";
const PICTURE = "iVBORw0KGgoAAAANSUhEUgAAAAoAAAAUCAIAAAA7jDsBAAAAFUlEQVR4nGPQqDiBBzGMSo9KU0saACzYGVCBt5HFAAAAAElFTkSuQmCC";
const axe = missing ? "" : readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const SIZES = [[390, 844], [820, 1180], [1440, 900]];

describe("the page looks and sounds right", { skip: missing, timeout: SUITE }, () => {
  /** @type {import("playwright-core").Browser} */
  let chromium;
  /** @type {Server} */
  let server;

  before(async () => {
    chromium = await browser();
    server = await new Server().start();
    if (SHOTS) mkdirSync(SHOTS, { recursive: true });
    const [bob, zoe, dana] = await Promise.all(["bob", "zoë", "דנה"].map((nick) => server.program(nick)));
    bob.does({ do: "command", room: "#lobby", text: "/topic sensor workshop until 15:30" });
    bob.does({ do: "say", room: "#lobby", text: "Joining from `nc`, see http://bench.example/plot?table=5." });
    zoe.does({ do: "command", room: "#lobby", text: "/me waves" });
    zoe.does({ do: "command", room: "#lobby", text: "/away lunch" });
    dana.does({ do: "say", room: "#lobby", text: "החיישן בשולחן 5 מחובר הפוך" });
    bob.does({ do: "say", room: "#lobby", text: "A long text. ".repeat(120) });
    await until(() => dana.heard.includes("A long text."), "the talk");
  });
  after(async () => {
    await chromium?.close();
    await server?.end();
  });

  /** Whatever moves has arrived. @param {import("playwright-core").Page} page */
  const isStill = (page) => page.evaluate(async () => {
    const ending = document.getAnimations().filter((each) => each.effect?.getTiming().iterations !== Infinity);
    await Promise.allSettled(ending.map((each) => each.finished));
  });

  /** @param {Visitor} visitor @param {string} name */
  async function look(visitor, name) {
    if (SHOTS) await visitor.page.screenshot({ path: `${SHOTS}/${name}.png` });
    // Playwright evaluates past the policy, which would not let a script of ours in
    await visitor.page.evaluate(axe);
    const found = await visitor.page.evaluate(async () => {
      const { violations } = await /** @type {any} */ (globalThis).axe.run(document, { resultTypes: ["violations"] });
      return violations.map((/** @type {any} */ each) => `${each.id}: ${each.nodes.map((/** @type {any} */ node) => node.target.join(" ") + " " + node.failureSummary).join("; ")}`);
    });
    assert.deepEqual(found, [], name);
  }

  for (const [width, height] of SIZES) {
    for (const colorScheme of /** @type {("light" | "dark")[]} */ (["light", "dark"])) {
      test(`at ${width} pixels, ${colorScheme}`, async () => {
        const nick = `al${colorScheme}${width}`.replace(/\d+/, (digits) => `x${digits}`);
        const visitor = await Visitor.open(chromium, server, { viewport: { width, height }, colorScheme, hasTouch: width < 720 });
        const { page } = visitor;
        const mark = (/** @type {string} */ scene) => `${scene}-${width}-${colorScheme}`;
        await page.goto(server.url);
        await look(visitor, mark("join"));
        await visitor.join(nick);
        await visitor.types("Here I am.");
        await visitor.sees("Here I am.");
        const bob = await server.program(`bo${nick}`);
        bob.does({ do: "say", room: "#lobby", text: `${nick}: you have the spare one` });
        await page.waitForSelector(".names-me");
        await visitor.types("/topci");
        await page.waitForSelector(".refused");
        await look(visitor, mark("room"));
        await page.setInputFiles("#chosen", [
          { name: "sky.png", mimeType: "image/png", buffer: Buffer.from(PICTURE, "base64") },
          { name: "report.pdf", mimeType: "application/pdf", buffer: Buffer.alloc(1_234_567) },
          { name: "large.iso", mimeType: "", buffer: Buffer.alloc(11_000_000) },
        ]);
        await visitor.sees("report.pdf 1.2 MB");
        await page.waitForSelector(".pic canvas");
        await look(visitor, mark("files"));
        await page.click("#uploads .ib");
        await page.locator(".line .nick").last().click();
        await page.waitForSelector(".menu");
        await look(visitor, mark("person"));
        await page.keyboard.press("Escape");
        await page.fill("#write", "/w");
        await page.waitForSelector("#pop:visible");
        await look(visitor, mark("commands"));
        await page.fill("#write", "");
        if (width < 720) {
          await page.click("#open-rooms");
          await isStill(page);
          await look(visitor, mark("rooms"));
          await page.click("#close-rooms");
          await isStill(page);
          const small = await page.$$eval("button:visible, a.ent", (all) => all.filter((each) => {
            const { width, height } = each.getBoundingClientRect();
            return width && (width < 24 || height < 24);
          }).map((each) => each.outerHTML.slice(0, 80)));
          assert.deepEqual(small.filter((each) => !each.includes("nick")), []);
        }
        if (width < 1120) {
          await page.click("#open-people");
          await isStill(page);
          await look(visitor, mark("people"));
          await page.click("#close-people");
          await isStill(page);
        }
        await page.keyboard.press("Control+k");
        await page.waitForSelector(".card");
        await look(visitor, mark("go"));
        await page.keyboard.press("Escape");
        bob.does({ do: "command", text: `/whisper ${nick} psst` });
        await page.goto(`${server.url}#@bo${nick}`);
        await visitor.sees("psst");
        await look(visitor, mark("whisper"));
        assert.equal(await page.evaluate(() => document.documentElement.scrollWidth > innerWidth), false);
        assert.deepEqual(visitor.wrong, []);
        bob.leaves();
        await visitor.leaves();
      });
    }
  }

  test("a keyboard reaches rooms, messages, people and the field", async () => {
    const visitor = await (await Visitor.open(chromium, server)).join("keys");
    const { page } = visitor;
    const focus = () => page.evaluate(() => document.activeElement?.closest("#rooms, #stream, #people, #write-form")?.id);
    await page.focus("#write");
    const panes = [];
    for (let n = 0; n < 4; n++) {
      await page.keyboard.press("F6");
      panes.push(await focus());
    }
    assert.deepEqual(panes, ["rooms", "stream", "people", "write-form"]);
    await page.keyboard.press("Shift+Tab");
    const read = () => page.evaluate(() => document.activeElement?.textContent);
    const last = await read();
    await page.keyboard.press("ArrowUp");
    assert.notEqual(await read(), last);
    await page.keyboard.press("Enter");
    await page.waitForSelector(".menu:has-text('Copy text')");
    await page.keyboard.press("Escape");
    await page.keyboard.press("Escape");
    assert.equal(await page.evaluate(() => document.activeElement?.id), "write");
    await page.keyboard.press("Tab");
    assert.equal(await page.evaluate(() => document.activeElement?.id !== "write"), true, "Tab moves on");
    await page.evaluate(() => document.body.focus());
    await visitor.leaves();
  });

  test("a screen reader hears new lines of others, not its own, and not history", async () => {
    const visitor = await (await Visitor.open(chromium, server)).join("ears");
    const bob = await server.program("bobears");
    await visitor.types("my own");
    await visitor.sees("my own");
    bob.does({ do: "say", room: "#lobby", text: "good morning" });
    bob.does({ do: "say", room: "#lobby", text: "ears: and to you" });
    await until(async () => /names you/.test((await visitor.page.textContent("#heard")) ?? ""), "the news are told");
    const heard = await visitor.page.$$eval("#heard p", (lines) => lines.map((line) => line.textContent));
    assert.deepEqual(heard, ["bobears: good morning", "bobears names you in #lobby: ears: and to you"]);
    for (let n = 0; n < 12; n++) bob.does({ do: "say", room: "#lobby", text: `rush ${n}` });
    await until(async () => /12 new messages in #lobby/.test((await visitor.page.textContent("#heard")) ?? ""), "a rush is counted");
    await visitor.leaves();
  });
});
