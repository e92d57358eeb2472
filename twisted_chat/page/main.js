// The page: puts together the client, what shows it, and what one does.
import { Announcer } from "./announcer.js";
import { Client } from "./client.js";
import { Composer } from "./composer.js";
import { Connection } from "./connection.js";
import { item } from "./conversation.js";
import { byId, say } from "./dom.js";
import { Drawers } from "./drawers.js";
import { Files } from "./files.js";
import { closeCard, openGoto, openKeys } from "./goto.js";
import { Join } from "./join.js";
import { closeMenu } from "./menu.js";
import { Menus } from "./menus.js";
import { fold } from "./names.js";
import { Notifications } from "./notifications.js";
import { now, People, peopleHere } from "./people.js";
import { address, addressed, Rooms, title } from "./rooms.js";
import { shortcuts } from "./shortcuts.js";
import { load, save } from "./storage.js";
import { Stream } from "./stream.js";
import { Strips } from "./strips.js";
import { Tabs } from "./tabs.js";
import { Tray } from "./tray.js";
import { counted } from "./wording.js";

const LONGEST_REST = 250; // milliseconds between two pictures
const LISTED = 60_000; // how long a list of the server's rooms is fresh

const visit = Math.random().toString(36).slice(2, 10);
/** @param {string} origin */
const socket = (origin) => /** @type {import("./connection.js").Socket} */ (new WebSocket(origin.replace(/^http/u, "ws") + "/ws"));
const connection = new Connection(socket, location.origin);
const client = new Client(connection, visit);

const tabs = new Tabs({
  session: () => (connection.state === "closed" ? "" : client.model.session),
  lose: () => client.yield(),
  keep,
});
client.beside = (name) => tabs.beside(name);

const notifications = new Notifications((conversation) => go(conversation.title));
const announcer = new Announcer();
const drawers = new Drawers();
const join = new Join((nick, room, password, remember) => client.join(nick, room, password, remember));
const composer = new Composer({
  send(text) {
    client.send(text);
    stream.newest();
    if (!byId("app").hidden) render(); // one's own line does not wait for a pause in others' talk
  },
  known: () => ({ commands: client.model.commands, people: client.model.here?.people() ?? [], rooms: knownRooms() }),
  rooms: listRooms,
  keys: openKeys,
  newest: () => stream.newest(),
});
const menus = new Menus(client, composer, notifications, refresh);
const stream = new Stream({
  person: (nick, anchor) => menus.person(nick, anchor),
  menu: (item, row) => menus.message(item, row),
  older: (conversation) => client.older(conversation),
  again: (line) => client.again(line),
  drop: (line) => client.drop(line),
  edit(line) {
    client.drop(line);
    composer.replace(line.shown);
  },
  open: go,
  looked,
  write: () => composer.focus(),
});
const rooms = new Rooms({ find });
const people = new People({
  person: (nick, anchor) => menus.person(nick, anchor),
  ignore: (nick, yes) => client.command(`${yes ? "/ignore" : "/unignore"} ${nick}`),
});
const strips = new Strips({
  tryNow: () => connection.open(),
  here() {
    tabs.take(client.model.session);
    client.takeBack();
  },
  notify: (yes) => void notifications.answer(yes).then(refresh),
  refresh: (ms) => void setTimeout(refresh, ms),
});

const files = new Files((room) => client.upload(room));
const tray = new Tray({
  files(chosen) {
    const { here, fileSize } = client.model;
    if (here?.isRoom && fileSize && !byId("app").hidden) void files.send(chosen, here, fileSize);
    else {
      const text = fileSize ? "Files can be sent only to rooms." : "This server takes no files.";
      here?.append(item({ kind: "notice", text }));
      announcer.now(text);
      refresh();
    }
  },
  drop: (upload) => files.drop(upload),
});
files.onChange = refresh;

// Showing

let isDue = false;
let named = ""; // what the address names

let restUntil = 0;

/** Show what is different, soon: in the next frame, but in a rush never so often that typing would wait. */
function refresh() {
  if (isDue) return;
  isDue = true;
  const show = () => {
    isDue = false;
    const begun = performance.now();
    render();
    setTimeout(() => { // when it is painted
      const now = performance.now();
      restUntil = now + Math.min(LONGEST_REST, 3 * (now - begun));
    });
  };
  if (document.hidden) setTimeout(show, LONGEST_REST);
  else setTimeout(() => requestAnimationFrame(show), Math.max(0, restUntil - performance.now()));
}

function render() {
  const { model, outbox } = client;
  if (byId("app").hidden) {
    join.waiting(connection.state === "waiting" ? "The server does not answer. Trying again." : "");
    return;
  }
  const here = model.here;
  const key = model.current;
  const lines = outbox.lines.filter((each) => each.place === key && !each.quiet && !each.echoed);
  stream.show(here ?? null, lines, model.nick);
  if (look()) stream.show(here ?? null, lines, model.nick);
  rooms.show(model, (each) => notifications.level(each), composer.drafts);
  people.show(model);
  composer.show(here, !client.isIn, model.lineBytes);
  client.tellRead();
  strips.show(client, notifications.question);
  tray.show(files.uploads.filter((each) => each.place === key), !!model.fileSize && !!here?.isRoom);
  head();
  notifications.head(here?.title ?? "", model.server, mentions());
  if (here && here.title !== named) { // not whenever they differ: somebody may be about to go elsewhere
    named = here.title;
    history.replaceState(null, "", address(named));
  }
  keepSoon();
}

/** Mentions that one wants to know of. */
function mentions() {
  const all = [...client.model.conversations.values()].filter((each) => notifications.level(each) !== "off");
  return all.reduce((sum, each) => sum + each.mentions, 0);
}

/** Whether somebody looks at the newest line decides what is read; says whether it was more than before. */
function look() {
  return client.model.look(!document.hidden && document.hasFocus() && stream.follows, stream.follows);
}

function looked() {
  look();
  tabs.look(document.hasFocus() ? client.model.nick : "");
  refresh();
}

let drawnHead = "";

function head() {
  const { model } = client;
  const here = model.here;
  const person = here && !here.isRoom ? model.person(here.name) : null;
  const topic = !here ? "" : here.isRoom ? here.topic : `${now(person)}. Only you two read this`;
  const away = model.person(model.nick)?.away;
  const state = client.isIn ? (away ? "away" : "here") : connection.state === "waiting" || client.isReplaced ? "offline" : "connecting";
  const calls = mentions();
  const drawn = JSON.stringify([here?.title, topic, here?.count, model.nick, model.server, state, calls, here && notifications.level(here)]);
  if (drawn === drawnHead) return;
  drawnHead = drawn;
  byId("room-title").replaceChildren(here ? title(here) : "");
  say(byId("room-topic"), topic);
  byId("room-topic").title = topic;
  say(byId("server-name"), model.server || "Chat");
  say(byId("my-nick"), model.nick);
  say(byId("my-state"), state === "away" && away && away !== "away" ? `away: ${away}` : state);
  byId("my-dot").className = `dot ${{ here: "here", away: "away", offline: "off", connecting: "lost" }[state]}`;
  byId("open-people").hidden = !here;
  byId("open-people").setAttribute("aria-label", here?.isRoom ? peopleHere(here.count) : `About ${here?.name}`);
  say(byId("people-count"), here?.isRoom ? here.count.toLocaleString("en") : "");
  byId("rooms-flag").hidden = calls === 0;
  byId("open-rooms").setAttribute("aria-label", calls ? `Rooms, ${counted(calls, "mention")}` : "Rooms");
  const isOff = here && notifications.level(here) === "off";
  byId("room-bell").querySelector("use")?.setAttribute("href", isOff ? "#i-belloff" : "#i-bell");
  byId("people").setAttribute("aria-label", here?.isRoom === false ? `About ${here.name}` : "People here");
}

// Going somewhere

/** @param {string} title */
function go(title) {
  drawers.close();
  client.go(title);
  if (matchMedia("(hover: hover)").matches) composer.focus();
}

function knownRooms() {
  const { model } = client;
  const ours = model.rooms.map(({ name, topic }) => ({ name, topic }));
  const others = model.listed.filter((name) => !model.conversations.has(fold(name)));
  return [...ours, ...others.map((name) => ({ name, topic: "" }))];
}

let listedAt = 0;

function listRooms() {
  if (Date.now() - listedAt < LISTED || !client.isIn) return;
  listedAt = Date.now();
  client.command("/rooms", true);
}

function find() {
  drawers.close();
  closeMenu();
  listRooms();
  const { model } = client;
  openGoto(() => {
    const nicks = new Map(model.rooms.flatMap((room) => [...room.members]));
    const folk = [...nicks.values()].filter((each) => !model.isMe(each.nick));
    const ours = model.rooms.map((each) => ({ title: each.name, note: each.topic, act: () => go(each.name) }));
    const listed = knownRooms().slice(ours.length).map(({ name }) => ({ title: name, note: "join", act: () => go(name) }));
    const whispers = folk.map(({ nick }) => ({ title: "@" + nick, note: "whisper", act: () => go("@" + nick) }));
    return [...ours, ...listed, ...whispers];
  }, (name) => {
    const room = name.replace(/^#/u, "");
    return room && !/[\s@]/u.test(room) ? [{ title: "#" + room, note: "make this room", act: () => go("#" + room) }] : [];
  });
}

/** @param {number} by @param {boolean} onlyUnread */
function step(by, onlyUnread) {
  const all = [...client.model.rooms, ...client.model.whispers];
  const from = all.findIndex((each) => each.key === client.model.current);
  for (let n = 1; n <= all.length; n++) {
    const each = all[(from + by * n + all.length * n) % all.length];
    if (!onlyUnread || each.unread) return go(each.title);
  }
}

shortcuts({
  goto: find,
  keys: openKeys,
  step,
  readAll() {
    client.model.readAll();
    refresh();
  },
  write() {
    drawers.close();
    stream.newest();
    composer.focus();
  },
  messages: () => stream.focus(),
  open: (pane) => drawers.open(pane),
});

byId("room-bell").addEventListener("click", () => client.model.here && menus.room(client.model.here, byId("room-bell")));
for (const id of ["settings", "self"]) byId(id).addEventListener("click", () => menus.page(byId(id)));
byId("rooms-nav").addEventListener("click", (event) => {
  const link = event.target instanceof Element ? event.target.closest("a") : null;
  if (!link) return;
  event.preventDefault();
  go(addressed(link.getAttribute("href") ?? ""));
});
people.onFind = refresh;

// What the client tells

client.onChange = refresh;
client.onLeft = () => {
  closeMenu();
  closeCard();
  tabs.forget();
  composer.forget();
  client.model.onNews = news;
  join.open(load("nick") ?? "", "", "");
};
client.onRefused = (why) => {
  if (why.code === "registered-nick") tabs.expire(client.model);
  join.open(client.model.nick, addressed(location.hash), client.model.server);
  join.refused(why);
};
client.onLineRefused = (line) => announcer.now(`Not sent. ${line.reason}`);
client.onIn = (isBack, waiting) => {
  if (isBack) strips.back(waiting);
  if (byId("join").hidden) return;
  join.close();
  composer.focus();
};

/** @param {import("./conversation.js").Conversation} conversation @param {import("./conversation.js").Item} item */
function news(conversation, item) {
  const isHere = conversation.key === client.model.current;
  announcer.hear(conversation, item, isHere);
  if ((document.hidden || !document.hasFocus()) && !tabs.isLookedAt(client.model.nick)) notifications.missed(conversation, item);
}
client.model.onNews = news;

// Keeping

let isKept = true;
let keepWithin = 0; // at once, when there is something to come back to

function keepSoon() {
  if (!isKept || !client.model.here) return;
  isKept = false;
  setTimeout(keep, keepWithin);
  keepWithin = 400;
}

let isGone = false; // closed, or about to be loaded again

/** What a reload comes back to: the newest that this tab knows, unless another one goes on with it. */
function keep() {
  isKept = true;
  if (client.isReplaced || !client.model.session) return;
  tabs.keep(client.keep(), !isGone);
  save("nick", client.model.nick);
  save("server", client.model.server);
}

addEventListener("pagehide", () => {
  client.tellRead(true);
  tabs.look("");
  isGone = true;
  keep();
});
addEventListener("pageshow", (event) => event.persisted && location.reload());
addEventListener("online", () => connection.probe());
addEventListener("focus", looked);
addEventListener("blur", looked);
addEventListener("hashchange", () => {
  const name = addressed(location.hash);
  if (name && !byId("app").hidden && fold(name) !== fold(client.model.here?.title ?? "")) go(name);
});
document.addEventListener("visibilitychange", () => {
  if (document.hidden) keep();
  else connection.probe();
  looked();
});

// Beginning

/** Go on with what was kept. @param {import("./client.js").Kept} kept */
function goOn(kept) {
  join.close();
  tabs.take(kept.model.session);
  client.resume(kept, addressed(location.hash));
}

async function begin() {
  const kept = tabs.kept();
  const room = addressed(location.hash);
  if (!kept) return join.open(load("nick") ?? "", room, load("server") ?? "");
  join.close();
  const { nick, account, current, server } = kept.model;
  if (!(await tabs.isHeld(kept))) goOn(kept);
  else if (account) client.joinBeside(account, room || current);
  else {
    join.open("", room, server);
    join.elsewhere(nick, () => goOn(tabs.kept() ?? kept));
  }
}

void begin();
refresh();
