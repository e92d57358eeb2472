// People on pages and at terminals in one room, on a real server, in a real browser.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { missing, sleep, stage, SUITE, until } from "./stage.js";

describe("on the page", { skip: missing, timeout: SUITE }, () => {
  const scene = stage();
  const { visit, open } = scene;
  test("two pages and a netcat read each other", async () => {
    const [alice, bob, carol] = [await open("alice"), await open("bob"), await scene.server.person("carol")];
    await alice.types("hello from alice");
    await bob.types("hello from bob");
    carol.says("hello from carol");
    for (const text of ["hello from alice", "hello from bob", "hello from carol"]) {
      await alice.sees(text);
      await bob.sees(text);
      await sleep(200);
      assert.equal(await alice.times(text), 1, text);
    }
    await until(() => carol.heard.includes("alice: hello from alice"), "alice's line at the terminal");
    assert.equal(await alice.page.textContent("#people-title .num"), "3");
  });

  test("a reload comes back to the room, the lines, the unread and the draft", async () => {
    const carol = await scene.server.person("carol");
    const alice = await open("alice", "#dev");
    await alice.types("in dev");
    await alice.sees("in dev");
    carol.says("alice: in the lobby");
    await alice.page.waitForSelector('#rooms-nav a[href="#lobby"] .n.at');
    await alice.page.fill("#write", "half a sen");
    await alice.page.reload();
    await alice.sees("in dev");
    assert.equal(await alice.page.inputValue("#write"), "half a sen");
    assert.equal(await alice.page.textContent("#room-title"), "#dev");
    assert.match((await alice.page.textContent('#rooms-nav a[href="#lobby"] .n')) ?? "", /^1/);
    assert.match(await alice.page.title(), /^\(1\) #dev, the lab$/);
    assert.ok(!carol.heard.includes("alice has left"), "nobody saw alice leave");
  });

  test("the server is killed and started again while somebody types", async () => {
    const alice = await open("alice");
    const said = Array.from({ length: 12 }, (_, n) => `line ${n + 1} of twelve`);
    for (const [n, text] of said.entries()) {
      if (n === 4) await scene.server.stop("SIGKILL");
      if (n === 6) {
        await alice.page.waitForSelector("#link-strip:has-text('No connection')");
        await alice.page.waitForSelector("text=waiting");
      }
      if (n === 8) await scene.server.start();
      await alice.types(text);
    }
    await alice.sees("line 12 of twelve");
    await until(async () => !(await alice.page.$(".waits, .refused")), "everything is stored");
    const lines = (await alice.lines()).filter((line) => line.includes("of twelve"));
    assert.deepEqual(lines, said, "each once, in order");
    const carol = await scene.server.person("carol");
    await until(() => carol.heard.includes("line 12 of twelve"), "the history has them");
    for (const text of said) assert.equal(carol.heard.split(`alice: ${text}\r\n`).length, 2, text);
  });

  test("what was said while the connection was gone comes, once", async () => {
    const [alice, carol] = [await open("alice"), await scene.server.program("carol")];
    await alice.types("before");
    await alice.sees("before");
    await alice.page.evaluate(() => dispatchEvent(new Event("offline")));
    await scene.server.stop("SIGKILL");
    await alice.page.waitForSelector("#link-strip:has-text('No connection')");
    await scene.server.start();
    carol.leaves();
    const dan = await scene.server.person("dan");
    dan.says("meanwhile");
    await alice.page.click("text=Try now", { timeout: 5000 }).catch(() => {});
    await alice.sees("meanwhile");
    await alice.page.waitForSelector("#link-strip", { state: "hidden" });
    assert.equal(await alice.times("meanwhile"), 1);
    assert.equal(await alice.times("before"), 1);
  });

  test("a whisper is a conversation of its own", async () => {
    const [alice, bob] = [await open("alice"), await scene.server.person("bob")];
    bob.says("/whisper alice psst");
    await alice.page.click('#rooms-nav a[href="#@bob"]');
    await alice.sees("psst");
    await alice.types("what is it?");
    await until(() => bob.heard.includes("[whisper from alice] what is it?"), "the answer");
    await until(async () => (await alice.times("what is it?")) === 1, "one's own line, once");
    assert.match(await alice.page.title(), /^@bob/);
    bob.says("hello all");
    await alice.page.click('#rooms-nav a[href="#lobby"]');
    await alice.sees("hello all");
    assert.equal(await alice.times("psst"), 0, "nothing of it stands in the room");
  });

  test("a line that begins with @ and a name is for that person alone", async () => {
    const [alice, bob, carol] = [await open("alice"), await scene.server.person("bob"), await scene.server.person("carol")];
    await alice.page.fill("#write", "@bob for you");
    assert.match((await alice.page.textContent("#live")) ?? "", /Only .bob. will read this/);
    await alice.page.press("#write", "Enter");
    await until(() => bob.heard.includes("[whisper from alice] for you"), "the whisper");
    await alice.sees("Whispered to bob.");
    bob.says("thanks");
    await until(() => carol.heard.includes("bob: thanks"), "the next line");
    assert.ok(!carol.heard.includes("for you"));
  });

  test("several lines are said one by one", async () => {
    const [alice, carol] = [await open("alice"), await scene.server.person("carol")];
    await alice.page.fill("#write", "first");
    await alice.page.press("#write", "Shift+Enter");
    await alice.page.keyboard.type("  second");
    await alice.page.press("#write", "Enter");
    await until(() => /alice: first\r\n.*alice:   second\r\n/.test(carol.heard), "both lines");
  });

  test("a refused line says why, and can be mended", async () => {
    const alice = await open("alice");
    await alice.types("/topci tea");
    await alice.page.waitForSelector(".refused");
    assert.match((await alice.page.textContent(".refused .note")) ?? "", /Not sent\. There is no command \/topci: did you mean \/topic\?/);
    await alice.page.click("text=Edit");
    assert.equal(await alice.page.inputValue("#write"), "/topci tea");
    await alice.types("/topic tea");
    await alice.page.waitForSelector("#room-topic:has-text('tea')");
    assert.equal(await alice.page.$(".refused"), null);
  });

  test("names, rooms and commands complete", async () => {
    const alice = await open("alice");
    await scene.server.person("bob");
    await alice.page.waitForSelector('#folk [data-nick="bob"]');
    await alice.page.focus("#write");
    await alice.page.keyboard.type("/whi");
    await alice.page.waitForSelector("#choices li:has-text('send a private message')");
    await alice.page.keyboard.press("Tab");
    await alice.page.keyboard.type("b");
    await alice.page.waitForSelector("#choices li:has-text('bob')");
    await alice.page.keyboard.press("Tab");
    assert.equal(await alice.page.inputValue("#write"), "/whisper bob ");
    await alice.page.keyboard.press("Control+k");
    await alice.page.keyboard.type("tea");
    await alice.page.keyboard.press("Enter");
    await until(async () => (await alice.page.textContent("#room-title")) === "#tea", "the new room");
    assert.equal(new URL(alice.page.url()).hash, "#tea");
  });

  test("what one said before comes back with the up arrow", async () => {
    const alice = await open("alice");
    await alice.types("one");
    await alice.types("two");
    await alice.page.press("#write", "ArrowUp");
    await alice.page.press("#write", "ArrowUp");
    assert.equal(await alice.page.inputValue("#write"), "one");
    await alice.page.press("#write", "ArrowDown");
    assert.equal(await alice.page.inputValue("#write"), "two");
  });

  test("older lines load as one scrolls up, and the view does not jump", async () => {
    const bob = await scene.server.program("bob");
    for (let n = 1; n <= 600; n++) bob.does({ do: "say", room: "#lobby", text: `old line ${n}`, ref: String(n) });
    await until(() => bob.heard.includes('"ref":"600"'), "six hundred lines");
    const alice = await open("alice");
    await alice.sees("old line 600");
    const first = async () => Number((await alice.lines())[0]?.match(/\d+/)?.[0] ?? 601);
    for (let n = 0; (await first()) > 1 && n < 300; n++) {
      const moved = await alice.page.evaluate(async () => {
        const stream = document.getElementById("stream");
        const rows = [...document.querySelectorAll("#lines .line")];
        if (!stream) return 0;
        const top = stream.getBoundingClientRect().top;
        const row = rows.find((each) => each.getBoundingClientRect().bottom > top);
        const at = row?.getBoundingClientRect().top ?? 0;
        const by = Math.min(400, stream.scrollTop);
        stream.scrollTop -= by;
        await new Promise((done) => setTimeout(done, 60));
        return row?.isConnected ? row.getBoundingClientRect().top - at - by : 0;
      });
      assert.ok(Math.abs(moved) < 2, `jumped by ${moved}`);
    }
    assert.equal(await first(), 1);
    assert.ok((await alice.page.locator("#lines > *").count()) < 400, "few elements");
    await alice.page.click("#down");
    await alice.sees("old line 600");
  });

  test("nothing scrolls while one reads older lines", async () => {
    const bob = await scene.server.program("bob");
    for (let n = 1; n <= 100; n++) bob.does({ do: "say", room: "#lobby", text: `line ${n}` });
    const alice = await open("alice");
    await alice.sees("line 100");
    await alice.sees("line 40"); // there is something to scroll
    await alice.page.evaluate(() => (/** @type {HTMLElement} */ (document.getElementById("stream")).scrollTop -= 500));
    await alice.page.waitForSelector("#down:visible");
    const at = () => alice.page.evaluate(() => document.elementsFromPoint(500, 300).find((each) => each.closest(".line"))?.closest(".line")?.textContent);
    const before = await at();
    for (let n = 1; n <= 5; n++) bob.does({ do: "say", room: "#lobby", text: `late ${n}` });
    await alice.page.waitForSelector("#down:has-text('5 new messages')");
    assert.equal(await at(), before);
    await alice.page.click("#down");
    await alice.sees("late 5");
    await alice.page.waitForSelector("#down", { state: "hidden" });
  });

  test("the newest line stays in view in a rush", async () => {
    const [alice, bob] = [await open("alice"), await scene.server.program("bob")];
    for (let n = 1; n <= 600; n++) {
      bob.does({ do: "say", room: "#lobby", text: `rush ${n}` });
      if (n % 6 === 0) await sleep(8);
    }
    await alice.sees("rush 600");
    assert.equal(await alice.page.isVisible("#down"), false);
  });

  test("what is older loads while one stands at the top", async () => {
    const bob = await scene.server.program("bob");
    for (let n = 1; n <= 300; n++) bob.does({ do: "say", room: "#lobby", text: `line ${n}`, ref: String(n) });
    await until(() => bob.heard.includes('"ref":"300"'), "three hundred lines");
    const alice = await open("alice");
    await alice.sees("line 300");
    await until(async () => {
      await alice.page.evaluate(() => document.getElementById("stream")?.scrollTo(0, 0));
      return (await alice.lines()).includes("line 1");
    }, "the oldest line");
  });

  test("no name and no text is more than a text", async () => {
    const mallory = await scene.server.program("mallory");
    const alice = await open("alice");
    const texts = ["<img src=x onerror=document.title=1>", "<script>document.title=2</script>", "javascript:alert(1)", "w".repeat(1990), "e" + "\u0301".repeat(6), "שלום <b>world</b> abc", "`<b>code</b>` & &amp;"];
    for (const text of texts) mallory.does({ do: "say", room: "#lobby", text });
    mallory.does({ do: "command", room: "#lobby", text: "/topic <i>topic</i>" });
    await alice.page.waitForSelector("#room-topic:has-text('<i>topic</i>')");
    await alice.sees("& &amp;");
    const lines = await alice.lines();
    for (const text of texts) assert.ok(lines.some((line) => line.includes(text.replaceAll("`", ""))), text.slice(0, 40));
    assert.equal(await alice.page.locator("#lines img, #lines script, #lines b:not(.to), #room-topic i").count(), 1, "only our own bold name of who changed the topic");
    const wide = await alice.page.evaluate(() => document.documentElement.scrollWidth > innerWidth || (document.getElementById("stream")?.scrollWidth ?? 0) > (document.getElementById("stream")?.clientWidth ?? 0));
    assert.equal(wide, false, "nothing is wider than the page");
  });

  test("a text of a hundred marks stays in its row", async () => {
    const alice = await open("alice");
    await alice.types("neighbour");
    await alice.sees("neighbour");
    // the server refuses such a text, so another server is played
    await alice.page.evaluate(async (url) => {
      const { row } = await import(url + "page/row.js");
      const acts = { person() {}, again() {}, edit() {}, drop() {}, open() {} };
      const item = { kind: "said", id: 9, time: Date.now(), from: "z" + "\u0335".repeat(100), to: "", text: "a" + "\u0300".repeat(100) + " b", mine: false, callsMe: false, account: false, lines: [], traffic: [], version: 0 };
      document.getElementById("lines")?.append(row(item, true, "alice", acts));
    }, scene.server.url);
    const box = await alice.page.evaluate(() => {
      const row = document.querySelector("#lines > :last-child");
      return row && { clips: getComputedStyle(row).overflowY, height: row.clientHeight };
    });
    assert.equal(box?.clips, "clip");
    assert.ok((box?.height ?? 99) < 60, `${box?.height} pixels`);
  });

  test("a notification is offered once, shown for mentions and whispers, and silent where one likes", async () => {
    const visitor = await visit();
    const { page } = visitor;
    await page.addInitScript(() => {
      const shown = /** @type {string[]} */ ([]);
      class Notification {
        static permission = "default";
        static async requestPermission() {
          return (Notification.permission = "granted");
        }
        /** @param {string} title @param {{body: string}} options */
        constructor(title, options) {
          shown.push(`${title}: ${options.body}`);
        }
      }
      Object.assign(globalThis, { Notification, shown });
      document.hasFocus = () => false;
    });
    const shown = () => page.evaluate(() => /** @type {any} */ (globalThis).shown);
    await visitor.join("alice");
    const bob = await scene.server.program("bob");
    const says = async (/** @type {string} */ text) => {
      bob.does({ do: "say", room: "#lobby", text });
      await visitor.sees(text);
    };
    await says("nothing special");
    assert.equal(await page.isVisible("#ask-strip"), false);
    await says("alice: are you there?");
    await page.waitForSelector("#ask-strip:has-text('bob') >> text=named you while you were in another window");
    assert.deepEqual(await shown(), [], "nothing unasked");
    assert.match(await page.title(), /^\(1\) #lobby/);
    await page.click("#ask-yes");
    await page.waitForSelector("#ask-strip", { state: "hidden" });
    await says("alice: now?");
    await says("nothing special either");
    bob.does({ do: "command", text: "/whisper alice psst" });
    await page.waitForSelector('#rooms-nav a[href="#@bob"]');
    assert.deepEqual(await shown(), ["bob in #lobby: alice: now?", "bob: psst"]);
    await page.click("#room-bell");
    await page.click(".menu >> text=Nothing");
    await says("alice: and now?");
    await page.waitForFunction(() => document.title.startsWith("(1) "));
    assert.equal((await shown()).length, 2);
  });

  test("who leaves is asked for a name again", async () => {
    const [alice, carol] = [await open("alice"), await scene.server.person("carol")];
    await alice.page.click("#settings");
    await alice.page.click("text=Leave the chat");
    await alice.page.waitForSelector("#join-nick:visible");
    assert.equal(await alice.page.inputValue("#join-nick"), "alice");
    await until(() => carol.heard.includes("alice has left #lobby"), "alice is gone");
    await alice.page.reload();
    await alice.page.waitForSelector("#join-nick:visible");
    await alice.join("alice");
    await alice.types("/quit see you");
    await alice.page.waitForSelector("#join-nick:visible");
    await until(() => carol.heard.includes("alice has left #lobby (see you)"), "alice is gone again");
  });

  test("a name that is taken is refused where it was typed", async () => {
    await scene.server.person("bob");
    const visitor = await visit();
    await visitor.page.goto(scene.server.url);
    await visitor.page.fill("#join-nick", "bob");
    await visitor.page.click("#join-button");
    await visitor.page.waitForSelector("#nick-error:visible");
    assert.match((await visitor.page.textContent("#nick-error")) ?? "", /bob/);
    await visitor.page.fill("#join-nick", "bobby");
    await visitor.page.click("#join-button");
    await visitor.isIn();
    await visitor.types("here I am");
    await visitor.sees("here I am");
  });
});
