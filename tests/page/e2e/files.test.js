// Files that are dropped on the page, pasted or chosen, on a real server, in a real browser.
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { missing, stage, SUITE, until } from "./stage.js";

const PIXELS = "iVBORw0KGgoAAAANSUhEUgAAAAoAAAAUCAIAAAA7jDsBAAAAFUlEQVR4nGPQqDiBBzGMSo9KU0saACzYGVCBt5HFAAAAAElFTkSuQmCC";
const MOVING = "R0lGODlhAgACAPAAAP8AAAAA/yH/C05FVFNDQVBFMi4wAwEAAAAh+QQACgAAACwAAAAAAgACAAACAoRRACH5BAAKAAAALAAAAAACAAIAAAICjFMAOw==";

describe("files on the page", { skip: missing, timeout: SUITE }, () => {
  const scene = stage();
  const { open } = scene;
  const kept = () => readdirSync(join(scene.server.folder, "chat.files")).filter((name) => name !== "epoch");

  /** @param {import("./stage.js").Visitor} visitor @param {"drop" | "paste"} how @param {{name: string, type: string, base64: string}} file */
  const puts = (visitor, how, file) => visitor.page.evaluate(({ how, file }) => {
    const bytes = Uint8Array.from(atob(file.base64), (each) => each.charCodeAt(0));
    const dataTransfer = new DataTransfer();
    dataTransfer.items.add(new File([bytes], file.name, { type: file.type }));
    const event = how === "drop" ? new DragEvent("drop", { dataTransfer, bubbles: true, cancelable: true })
      : new ClipboardEvent("paste", { clipboardData: dataTransfer, bubbles: true, cancelable: true });
    document.getElementById("write")?.dispatchEvent(event);
  }, { how, file });

  test("a dropped picture is a line and a small picture for everybody", async () => {
    const [alice, bob, carol] = [await open("alice"), await open("bob"), await scene.server.person("carol")];
    await puts(alice, "drop", { name: "sky.png", type: "image/png", base64: PIXELS });
    for (const each of [alice, bob]) {
      await each.sees("sky.png 78 bytes");
      const shown = await each.page.waitForSelector(".pic a canvas");
      assert.deepEqual(await shown.evaluate((/** @type {any} */ canvas) => [canvas.width, canvas.height]), [10, 20]);
      const colour = await shown.evaluate((/** @type {any} */ canvas) => [...canvas.getContext("2d").getImageData(5, 5, 1, 1).data]);
      assert.equal(colour[3], 255, "something is drawn");
    }
    await until(() => carol.heard.includes("alice sent sky.png (78 bytes): http://"), "the line at the terminal");
    assert.equal(await alice.page.isVisible("#uploads"), false);
    assert.equal(kept().length, 1);
  });

  test("a pasted file that is no picture is a line with its size", async () => {
    const [alice, bob] = [await open("alice"), await open("bob")];
    await puts(alice, "paste", { name: "evil.html", type: "text/html", base64: btoa("<script>alert(1)</script>") });
    await bob.sees("evil.html 25 bytes");
    assert.equal(await bob.page.locator(".pic").count(), 0);
    const [download] = await Promise.all([bob.page.waitForEvent("download"), bob.page.click("#lines a[href^='/file/']")]);
    assert.equal(download.suggestedFilename(), "evil.html");
  });

  test("a moving picture stands still until it is clicked", async () => {
    const alice = await open("alice");
    await puts(alice, "drop", { name: "blink.gif", type: "image/gif", base64: MOVING });
    const button = await alice.page.waitForSelector(".pic button[aria-pressed='false'] canvas");
    assert.equal(await alice.page.locator(".pic img").count(), 0);
    await button.click();
    await alice.page.waitForFunction(() => {
      const image = document.querySelector(".pic img");
      return image instanceof HTMLImageElement && image.complete && image.naturalWidth === 2;
    });
    await alice.page.click(".pic button");
    await alice.page.waitForSelector(".pic button[aria-pressed='false'] canvas");
  });

  test("a chosen file that is too large is said beside its name, and can be dropped", async () => {
    const alice = await open("alice");
    const small = { name: "small.txt", mimeType: "text/plain", buffer: Buffer.from("hello") };
    await alice.page.setInputFiles("#chosen", [{ name: "large.bin", mimeType: "", buffer: Buffer.alloc(11_000_000) }, small]);
    await alice.sees("small.txt 5 bytes");
    await alice.page.waitForSelector("#uploads .bad");
    assert.match(await alice.page.textContent("#uploads") ?? "", /large\.bin 11 MB.*Not sent\. That file has 11 MB, 10 MB is the most\./u);
    await alice.page.click("#uploads .ib");
    await alice.page.waitForSelector("#uploads", { state: "hidden" });
    assert.equal(kept().length, 1);
  });

  test("a file that is dropped among whispers goes nowhere, and why is said", async () => {
    const alice = await open("alice");
    await scene.server.person("bob");
    await alice.types("@bob hello");
    await alice.page.goto(`${scene.server.url}#@bob`);
    await alice.page.waitForFunction(() => document.getElementById("room-title")?.textContent?.includes("bob"));
    await alice.page.waitForSelector("#attach", { state: "hidden" });
    await puts(alice, "drop", { name: "sky.png", type: "image/png", base64: PIXELS });
    await alice.sees("Files can be sent only to rooms.");
    assert.deepEqual(kept(), []);
  });

  test("whoever sent a file deletes it from its menu, and its picture is gone from every page", async () => {
    const [alice, bob] = [await open("alice"), await open("bob")];
    await puts(alice, "drop", { name: "sky.png", type: "image/png", base64: PIXELS });
    await bob.page.waitForSelector(".pic canvas");
    await alice.page.waitForSelector(".pic canvas");
    await alice.page.focus("#lines .line:has(.pic)");
    await alice.page.keyboard.press("Enter");
    await alice.page.click("text=Delete this file");
    await bob.sees("alice deleted sky.png");
    await bob.sees("no longer available");
    await bob.page.waitForSelector(".pic", { state: "detached" });
    await until(() => kept().length === 0, "the content is gone");
    await bob.page.reload();
    await bob.sees("no longer available");
  });
});
