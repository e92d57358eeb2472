// Makes the page's icons and the README's picture: `PYTHON=... node pictures.js`.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { browser, Server, sleep, until, Visitor } from "./e2e/stage.js";

const at = (/** @type {string} */ path) => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const TALK = [
  ["carol", "Reconnected by itself, nothing missing. Nice."],
  ["dan", "Joining from `nc` on the bench machine, the laptop is still updating."],
  ["erin", "Which baud rate do the new boards want?"],
  ["bob", "115200, eight bits, no parity. It is on the sticker, under the tape."],
  ["dan", "/me plugs in the wrong cable"],
  ["דנה", "החיישן בשולחן 5 מחובר הפוך, אני מסובבת אותו."],
  ["carol", "alice: you have the spare one, I think."],
  ["heidi", "If anyone wants the plot: http://bench-4.lan:8000/plot?table=5"],
  ["zoë", "Lunch is at half past twelve. Say if you eat no meat."],
];

const chromium = await browser();
const server = await new Server().start();
try {
  const svg = readFileSync(at("twisted_chat/page/icon.svg"), "utf8");
  for (const size of [192, 512]) {
    const page = await chromium.newPage({ viewport: { width: size, height: size } });
    await page.goto(`data:image/svg+xml,${encodeURIComponent(svg.replace('rx="14" ', "").replace("<svg ", `<svg width="${size}" height="${size}" `))}`);
    await page.screenshot({ path: at(`twisted_chat/page/icon-${size}.png`) });
    await page.close();
  }
  const nicks = [...new Set(TALK.map(([nick]) => nick)), "grace", "frank"];
  const people = new Map(await Promise.all(nicks.map(async (nick) => /** @type {const} */ ([nick, await server.program(nick)]))));
  people.get("bob")?.does({ do: "command", room: "#lobby", text: "/topic sensor workshop until 15:30, demo at 16:00" });
  people.get("frank")?.does({ do: "command", room: "#lobby", text: "/away at the rack" });
  const visitor = await (await Visitor.open(chromium, server, { viewport: { width: 1200, height: 640 }, colorScheme: "light" })).join("alice", "#dev");
  people.get("bob")?.does({ do: "command", text: "/join #dev" });
  await visitor.page.click('#rooms-nav a[href="#lobby"]');
  for (const [nick, text] of TALK) {
    people.get(nick)?.does({ do: text.startsWith("/") ? "command" : "say", room: "#lobby", text });
    await sleep(100);
  }
  people.get("bob")?.does({ do: "say", room: "#dev", text: "alice: the build is green" });
  people.get("zoë")?.does({ do: "command", text: "/whisper alice psst, the surprise for carol" });
  await visitor.types("Yes, on my way.");
  await until(async () => (await visitor.times("Yes, on my way.")) === 1, "one's own line");
  await sleep(500);
  await visitor.page.screenshot({ path: at("docs/page.png") });
} finally {
  await chromium.close();
  await server.end();
}
