// Figures of the page in headless Chromium: `PYTHON=... node measure.js`, printed as a table. With
// `hour` they are those of an hour of 20 lines a second, which go by six times as fast.
import { browser, Server, sleep, until, Visitor } from "./e2e/stage.js";

const LINES = 10_000;
const HOUR = { lines: 72_000, rate: 120 };

/** @param {string} what @param {string | number} figure */
const tell = (what, figure) => console.log(`| ${what} | ${figure} |`);

/** The n-th of a hundred. @param {number[]} all @param {number} n */
const percentile = (all, n) => [...all].sort((a, b) => a - b)[Math.min(all.length - 1, Math.floor((all.length * n) / 100))];

const server = await new Server().start();
const chromium = await browser();
try {
  if (process.argv[2] === "hour") await hour();
  else {
    await firstScreen();
    await scrolling();
    await typing();
  }
} finally {
  await chromium.close();
  await server.end();
}

async function firstScreen() {
  const visitor = await Visitor.open(chromium, server);
  const session = await visitor.page.context().newCDPSession(visitor.page);
  await session.send("Network.enable");
  let bytes = 0;
  let requests = 0;
  session.on("Network.loadingFinished", (event) => {
    bytes += event.encodedDataLength;
    requests++;
  });
  await visitor.page.goto(server.url, { waitUntil: "networkidle" });
  const paint = await visitor.page.evaluate(() => performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? 0);
  const ready = await visitor.page.evaluate(() => {
    const [navigation] = performance.getEntriesByType("navigation");
    return /** @type {PerformanceNavigationTiming} */ (navigation).domContentLoadedEventEnd;
  });
  tell("first screen, transferred", `${(bytes / 1000).toFixed(1)} kB in ${requests} requests`);
  tell("first screen, painted", `${Math.round(paint)} ms`);
  tell("first screen, ready", `${Math.round(ready)} ms`);
  await visitor.leaves();
}

/** @param {import("playwright-core").Page} page */
async function watchTasks(page) {
  await page.evaluate(() => {
    const tasks = /** @type {number[]} */ ([]);
    Object.assign(globalThis, { tasks });
    new PerformanceObserver((list) => tasks.push(...list.getEntries().map((each) => each.duration))).observe({ type: "longtask" });
  });
  return () => page.evaluate(() => /** @type {any} */ (globalThis).tasks.splice(0));
}

async function scrolling() {
  const bob = await server.program("bob");
  for (let n = 1; n <= LINES; n++) {
    bob.does({ do: "say", room: "#lobby", text: `line ${n} ${"and so on ".repeat(n % 12)}`, ref: String(n) });
    if (n % 500 === 0) await until(() => bob.heard.includes(`"ref":"${n}"`), `line ${n}`, 60_000);
  }
  bob.leaves();
  const visitor = await (await Visitor.open(chromium, server)).join("reader");
  const { page } = visitor;
  await visitor.sees(`line ${LINES}`);
  const tasks = await watchTasks(page);
  const scroll = (/** @type {number} */ by) =>
    page.evaluate((by) => {
      const stream = document.getElementById("stream");
      if (stream) stream.scrollTop += by;
      return Number(/line (\d+)/.exec(document.querySelector("#lines .line .said")?.textContent ?? "")?.[1] ?? 0);
    }, by);
  const begun = Date.now();
  while ((await scroll(-2500)) !== 1 && Date.now() - begun < 120_000) await sleep(10);
  const up = await tasks();
  tell(`${LINES} lines scrolled up, longest task`, `${Math.round(Math.max(0, ...up))} ms (${up.length} over 50 ms, ${((Date.now() - begun) / 1000).toFixed(0)} s)`);
  tell("elements in the stream then", await page.locator("#lines *").count());
  while (!(await page.$("#down[hidden]")) && Date.now() - begun < 240_000) {
    await scroll(2500);
    await sleep(10);
  }
  const down = await tasks();
  tell(`${LINES} lines scrolled down, longest task`, `${Math.round(Math.max(0, ...down))} ms (${down.length} over 50 ms)`);
  await visitor.leaves();
}

async function typing() {
  const visitor = await (await Visitor.open(chromium, server)).join("typist");
  const { page } = visitor;
  const programs = await Promise.all(Array.from({ length: 10 }, (_, n) => server.program(`load${"abcdefghij"[n]}`)));
  const session = await page.context().newCDPSession(page);
  await session.send("HeapProfiler.collectGarbage");
  let said = 0;
  const begun = Date.now();
  const load = setInterval(() => {
    while (said < (Date.now() - begun) / 2) {
      programs[said % programs.length].does({ do: "say", room: "#lobby", text: `load ${++said} typist is typing` });
    }
  }, 10);
  await sleep(2000);
  await page.focus("#write");
  await page.evaluate(() => {
    const delays = /** @type {number[]} */ ([]);
    Object.assign(globalThis, { delays });
    document.getElementById("write")?.addEventListener("input", (event) => {
      requestAnimationFrame(() => setTimeout(() => delays.push(performance.now() - event.timeStamp)));
    });
  });
  const [from, started] = [said, Date.now()];
  for (let n = 0; n < 80; n++) {
    await page.keyboard.type("typing "[n % 7]);
    await sleep(60);
  }
  const rate = Math.round(((said - from) * 1000) / (Date.now() - started));
  const delays = await page.evaluate(() => /** @type {number[]} */ (/** @type {any} */ (globalThis).delays));
  clearInterval(load);
  tell(`typing under ${rate} messages a second, from key to frame`, `median ${Math.round(percentile(delays, 50))} ms, 95th ${Math.round(percentile(delays, 95))} ms, worst ${Math.round(Math.max(...delays))} ms`);
  await until(async () => (await visitor.lines()).some((line) => line.includes(`load ${said} `)), "the last line", 60_000);
  await session.send("HeapProfiler.collectGarbage");
  const { usedSize } = await session.send("Runtime.getHeapUsage");
  tell(`heap after ${said} messages`, `${(usedSize / 1e6).toFixed(1)} MB`);
  for (const each of programs) each.leaves();
  await visitor.leaves();
}

async function hour() {
  const readers = await Promise.all(["reader", "idler", "scroller"].map(async (nick) => {
    const { page } = await (await Visitor.open(chromium, server)).join(nick);
    return { nick, page, session: await page.context().newCDPSession(page) };
  }));
  const [, idler, scroller] = readers;
  await idler.page.evaluate(() => {
    document.hasFocus = () => false; // somebody works in another window
    dispatchEvent(new Event("blur"));
  });
  const programs = await Promise.all(Array.from({ length: 10 }, (_, n) => server.program(`load${"abcdefghij"[n]}`)));
  const begun = Date.now();
  for (let said = 0; said < HOUR.lines;) {
    const due = Math.min(HOUR.lines, ((Date.now() - begun) / 1000) * HOUR.rate);
    while (said < due) {
      const text = `line ${++said} ${"and so on ".repeat(said % 12)}`;
      programs[said % programs.length].does({ do: "say", room: "#lobby", text });
      if (said === 1000) await scroller.page.mouse.move(700, 400).then(() => scroller.page.mouse.wheel(0, -3000));
      if (said % (HOUR.lines / 12) === 0) await heaps(said);
    }
    await sleep(20);
  }
  for (const each of programs) each.leaves();

  /** @param {number} said */
  async function heaps(said) {
    for (const { nick, page, session } of readers) {
      await session.send("HeapProfiler.collectGarbage");
      const { usedSize } = await session.send("Runtime.getHeapUsage");
      const { nodes } = await session.send("Memory.getDOMCounters");
      tell(`${nick} after ${said} lines`, `${(usedSize / 1e6).toFixed(1)} MB, ${nodes} nodes (${await page.locator("#lines > *").count()} rows)`);
    }
  }
}
