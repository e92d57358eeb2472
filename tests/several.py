"""Several servers that are one chat, over a database that is only a model of one."""

import json
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import cycle
from typing import Any

from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from tests.people import NOW, AccountsTestCase, Person, Program, Somebody, cheap_accounts
from twisted_chat import ChatFactory, Limits
from twisted_chat.chat.chat import Chat
from twisted_chat.events import Entry
from twisted_chat.events.effects import EFFECTS, Value, apply
from twisted_chat.refusal import Refused
from twisted_chat.stores import Opened, SavedSession, Subscriber
from twisted_chat.stores.account import Account, name_taken
from twisted_chat.stores.nameless import Replacements, nameless
from twisted_chat.stores.nodes import Hearer, Taken
from twisted_chat.turn import Turn


@dataclass
class News:
    """What a server has stored and told, or that one is gone; or that some of it was not heard."""

    node: int = 0
    words: str = "[]"
    entries: Sequence[tuple[str, Entry, Entry]] = ()
    gone: tuple[int, int] | None = None
    is_missed: bool = False

    def reach(self, node: "Node") -> None:
        """A server hears it."""
        if self.gone is not None:
            node.hearer.gone(*self.gone)
        for name, value in json.loads(self.words):
            node.hearer.heard(self.node, name, value)
        for log, entry, copy in self.entries:
            node.sees(log, entry if node.number == self.node else None, copy)
        if self.is_missed:
            node.is_told_all()


class Database:
    """What all servers share, and the one order of what they do.

    Everything is stored at once. Each server hears of it when `hears` is called, or at once while
    `is_quick`.
    """

    def __init__(self) -> None:
        self.epoch = "one"
        self.kept: dict[str, list[Entry]] = {}
        self.states: dict[str, dict[str, Value]] = {}
        self.rooms: dict[str, str] = {}
        self.sessions: dict[str, SavedSession] = {}
        self.accounts: dict[str, Account] = {}
        self.shared: dict[str, Any] = {}
        self.claims: dict[str, str] = {}
        self.clients: dict[str, int] = {}  # that have moved: the number of the server
        self.still: set[int] = set()  # numbers of servers that do not do anything
        self.claimed_by: dict[str, int] = {}  # by key, the number of the server
        self.nodes: dict[int, Node] = {}
        self.is_quick = True
        self._number = 0
        self._is_telling = False

    def node(self, turn: Turn) -> "Node":
        """One more server, whose turns end as that says."""
        self._number += 1
        node = self.nodes[self._number] = Node(self, self._number, turn)
        return node

    def tells(self, news: News) -> None:
        """All servers are to hear something."""
        for node in self.nodes.values():
            node.news.append(news)
        if self.is_quick:
            self.all_hear()

    def all_hear(self) -> None:
        """All servers hear of everything."""
        if self._is_telling:
            return
        self._is_telling = True
        try:
            while any(n.hears() for n in [*self.nodes.values()] if n.number not in self.still):
                pass
        finally:
            self._is_telling = False

    def dies(self, node: "Node") -> None:
        """A server is gone, and one of the others finds that out."""
        del self.nodes[node.number]
        if self.nodes:
            heir = min(self.nodes)
            self.tells(News(gone=(node.number, heir)))


class Node:
    """The store of one server; see `Store` and `Nodes`.

    What is asked for in one turn is stored together.
    """

    is_behind = False
    waiting = 0
    problem = ""

    def __init__(self, database: Database, number: int, turn: Turn) -> None:
        self.number = number
        self._turn = turn
        self._batches: list[Sequence[tuple[str, Entry]]] = []
        self._takes: list[tuple[Deferred[None], str]] = []
        self._words: dict[str, Any] = {}
        self._told: list[tuple[str, Any]] = []
        self._claims: list[tuple[Deferred[None], str, Sequence[str], str]] = []
        self._released: list[tuple[str, Sequence[str]]] = []
        self.news: deque[News] = deque()
        self._kept_news: deque[News] = deque()
        self.hearer: Hearer
        self._database = database
        self._subscribers: dict[str, Subscriber] = {}
        self._lasts: dict[str, int] = {}

    @property
    def nodes(self) -> "Node":
        """See `Store.nodes`."""
        return self

    @property
    def epoch(self) -> str:
        """See `Store.epoch`."""
        return self._database.epoch

    def hears(self) -> bool:
        """This server hears of what comes next; gives whether there was anything."""
        if self.news:
            self.news.popleft().reach(self)
            return True
        return False

    def loses_touch(self) -> None:
        """What others have told is not heard, and what they have stored is read afterwards."""
        for news in self.news:
            if news.node != self.number:
                stored = [each for each in news.entries if each[2].stored]
                news = replace(news, words="[]", entries=stored, gone=None)
            self._kept_news.append(news)
        self.news, self._kept_news = self._kept_news, deque()
        self.news.append(News(is_missed=True))

    def is_told_all(self) -> None:
        """This is how everything is now, though some of it is heard of again."""
        shared = json.loads(json.dumps(self._database.shared))
        self.hearer.missed(shared, list(self._database.nodes))

    # Logs

    def open(self, log: str, room: str, subscriber: Subscriber) -> Deferred[Opened]:
        """See `Store.open`: some of what it has come to may be heard later."""
        self.begin(log, room, subscriber)
        kept = self._database.kept.get(log, [])
        last = self._lasts[log] = kept[-1].id if kept else 0
        return succeed(Opened(last, dict(self._database.states.get(log, {}))))

    def begin(self, log: str, room: str, subscriber: Subscriber) -> None:
        """See `Store.begin`."""
        self._subscribers[log] = subscriber
        self._lasts[log] = 0
        self._database.rooms.setdefault(log, room)

    def close(self, log: str) -> None:
        """See `Store.close`."""
        self._subscribers.pop(log, None)

    def erase(self, log: str) -> None:
        """See `Store.erase`."""
        self._database.kept.pop(log, None)
        self._database.states.pop(log, None)

    def append(self, entries: Sequence[tuple[str, Entry]]) -> None:
        """See `Store.append`."""
        self._batches.append(entries)
        self._turn.schedule(self._commit)

    def _commit(self) -> None:
        if self.number not in self._database.nodes:
            return  # it is dead
        answers = self._claim()
        words, self._words = [*self._words.items(), *self._told], {}
        self._told = []
        for name, value in words:
            if value is None:
                self._database.shared.pop(name, None)
            elif "/" in name:
                self._database.shared[name] = value
        takes, self._takes = self._takes, []
        self._database.clients.update((client, self.number) for _, client in takes)
        answers += [partial(taken.callback, None) for taken, _ in takes]
        batches, self._batches = self._batches, []
        numbered = self._number(self._without_moved(batches))
        if words or numbered:
            self._database.tells(News(self.number, json.dumps(words), numbered))
        for answer in answers:
            answer()

    def _is_elsewhere(self, client: str) -> bool:
        node = self._database.clients.get(client, self.number)
        return node != self.number and node in self._database.nodes

    def _without_moved(
        self, batches: Sequence[Sequence[tuple[str, Entry]]]
    ) -> Sequence[tuple[str, Entry]]:
        """What was not asked for by clients that have gone on at another server."""
        stay: list[tuple[str, Entry]] = []
        for batch in batches:
            asking = [each.client or each.author for _, each in batch if each.ref is not None]
            if not any(self._is_elsewhere(client) for client in asking):
                stay += batch
                continue
            for log, entry in batch:
                if log in self._subscribers:
                    why = Refused("replaced", "This session goes on at another server.")
                    self._subscribers[log].refuse([entry], why)
        return stay

    def _claim(self) -> list[Callable[[], None]]:
        claims = self._database.claims
        answers: list[Callable[[], None]] = []
        for holder, keys in self._released:
            for key in keys:
                if claims.get(key) == holder:
                    del claims[key]
        self._released = []
        asked, self._claims = self._claims, []
        for deferred, holder, keys, instead_of in asked:
            taken = [key for key in keys if claims.get(key, holder) not in (holder, instead_of)]
            if taken:
                answers.append(partial(deferred.errback, Taken(taken[0])))
            else:
                claims.update(dict.fromkeys(keys, holder))
                self._database.claimed_by.update(dict.fromkeys(keys, self.number))
                answers.append(partial(deferred.callback, None))
        return answers

    def _number(self, entries: Sequence[tuple[str, Entry]]) -> list[tuple[str, Entry, Entry]]:
        database, numbered = self._database, []
        for log, entry in entries:
            kept = database.kept.setdefault(log, [])
            number = (kept[-1].id if kept else 0) + entry.stored
            copy = replace(entry, id=number, waiter=None)
            if entry.stored:
                kept.append(copy)
                if type(entry.event) in EFFECTS:
                    apply(copy, database.states.setdefault(log, {}))
            numbered.append((log, entry, copy))
        return numbered

    def sees(self, log: str, own: Entry | None, copy: Entry) -> None:
        """An entry is to be shown, which is this server's own or another's."""
        if log not in self._subscribers:
            self.hearer.asked_for(log, self._database.rooms[log])
        subscriber = self._subscribers.get(log)
        if subscriber is None or (copy.stored and copy.id <= self._lasts[log]):
            return
        copy = replace(copy, id=max(copy.id, self._lasts[log]))
        self._lasts[log] = copy.id
        if own is not None:
            own.id = copy.id
            subscriber.show([own])
        else:
            subscriber.hear([replace(copy)])

    def after(self, log: str, number: int, limit: int) -> Deferred[Sequence[Entry]]:
        """See `Store.after`."""
        kept = self._database.kept.get(log, [])
        return succeed([each for each in kept if each.id > number][:limit])

    def before(self, log: str, number: int, limit: int) -> Deferred[Sequence[Entry]]:
        """See `Store.before`."""
        kept = self._database.kept.get(log, [])
        return succeed([each for each in kept if each.id < number][-limit:] if limit else [])

    def number_at(self, log: str, time: float) -> Deferred[int]:
        """See `Store.number_at`."""
        kept = self._database.kept.get(log, [])
        return succeed(max((each.id for each in kept if each.event.time < time), default=0))

    def rooms(self) -> Deferred[Sequence[str]]:
        """See `Store.rooms`."""
        kept = self._database.kept
        return succeed([self._database.rooms[log] for log in kept if log.startswith("#")])

    # Sessions and accounts

    def saved_sessions(self) -> Deferred[Sequence[SavedSession]]:
        """See `Store.saved_sessions`."""
        return succeed(list(self._database.sessions.values()))

    def refs(self, client: str, limit: int) -> Deferred[Sequence[tuple[str, int]]]:
        """See `Store.refs`."""
        found = [
            (each.ref, each.id)
            for kept in self._database.kept.values()
            for each in kept
            if each.ref is not None and (each.client or each.author) == client
        ]
        return succeed(found[-limit:])

    def save_session(self, saved: SavedSession) -> Deferred[None]:
        """See `Store.save_session`."""
        self._database.sessions[saved.id] = saved
        return succeed(None)

    def drop_session(self, device: str) -> None:
        """See `Store.drop_session`."""
        self._database.sessions.pop(device, None)

    def accounts(self) -> Deferred[Sequence[Account]]:
        """See `Store.accounts`."""
        return succeed(list(self._database.accounts.values()))

    def save_account(self, account: Account) -> Deferred[None]:
        """See `Store.save_account`."""
        others = self._database.accounts.values()
        if any(each.key == account.key and each.id != account.id for each in others):
            return fail(name_taken(account.name))
        self._database.accounts[account.id] = account
        return succeed(None)

    def drop_account(self, account_id: str) -> Deferred[None]:
        """See `Store.drop_account`."""
        self._database.accounts.pop(account_id, None)
        return succeed(None)

    def make_nameless(self, person: str) -> Deferred[Mapping[str, Replacements]]:
        """See `Store.make_nameless`: what is in the states of logs, no test looks at here."""
        for kept in self._database.kept.values():
            for entry in kept:
                entry.event = nameless(entry, person)
        return succeed({})

    def forget(self, before: float) -> None:
        """See `Store.forget`: everything is kept."""

    def try_again(self) -> None:
        """See `Store.try_again`: nothing fails."""

    def stop(self) -> Deferred[None]:
        """See `Store.stop`."""
        self._database.dies(self)
        return succeed(None)

    # Several servers

    def join(self, hearer: Hearer) -> Deferred[Mapping[str, Any] | None]:
        """See `Nodes.join`."""
        self.hearer = hearer
        if len(self._database.nodes) == 1:
            self._database.shared.clear()
            self._database.claims.clear()
            return succeed(None)
        return succeed(dict(self._database.shared))

    def set(self, name: str, value: Any) -> None:
        """See `Nodes.set`."""
        self._words[name] = value
        self._turn.schedule(self._commit)

    def tell(self, name: str, value: Any) -> None:
        """See `Nodes.tell`."""
        self._told.append((name, value))
        self._turn.schedule(self._commit)

    def claim(self, holder: str, keys: Sequence[str], instead_of: str = "") -> Deferred[None]:
        """See `Nodes.claim`."""
        claimed: Deferred[None] = Deferred()
        self._claims.append((claimed, holder, keys, instead_of))
        self._turn.schedule(self._commit)
        return claimed

    def take(self, client: str) -> Deferred[None]:
        """See `Nodes.take`."""
        taken: Deferred[None] = Deferred()
        self._takes.append((taken, client))
        self._turn.schedule(self._commit)
        return taken

    def inherit(self, node: int, kept: Mapping[str, Sequence[str]]) -> None:
        """See `Nodes.inherit`."""
        claims = self._database.claims
        for key, holder in list(claims.items()):
            if self._database.claimed_by[key] == node and key not in kept.get(holder, ()):
                del claims[key]

    def release(self, holder: str, keys: Sequence[str]) -> None:
        """See `Nodes.release`."""
        self._released.append((holder, keys))
        self._turn.schedule(self._commit)


class SpreadTestCase(AccountsTestCase):
    """A chat of three servers, to which people come in turn."""

    def setUp(self) -> None:
        """An empty chat."""
        self.clock = Clock()
        self.clock.advance(NOW)
        database, limits = Database(), replace(self.limits)
        self._servers = [ChatFactory(self.clock, chat=self.opens(database, limits)) for _ in "123"]
        self.factory = self._servers[0]
        uses = [chat.administrators.use for chat in self.chats]
        self.patch(self.factory.chat.administrators, "use", lambda names: [u(names) for u in uses])
        self._turns = cycle(self._servers)

    @property
    def servers(self) -> Sequence[ChatFactory]:
        """See `ChatTestCase.servers`."""
        return self._servers

    def opens(self, database: Database, limits: Limits) -> Chat:
        """One of the servers."""
        turn = Turn(partial(self.clock.callLater, 0))
        store = database.node(Turn())  # so that answers come at once, as where all is in memory
        accounts = cheap_accounts(self.clock, store, limits)
        chat = Chat(self.clock, store, turn, "the lab", limits, accounts=accounts)
        self.successResultOf(chat.ready)
        return chat

    def next_server(self) -> ChatFactory:
        """Where the next one comes to."""
        return next(self._turns)


class SeveralTestCase(SynchronousTestCase):
    """Three servers that are one chat, and people at each."""

    limits = Limits()
    count = 3

    def setUp(self) -> None:
        """An empty chat."""
        self.clock = Clock()
        self.clock.advance(NOW)
        self.database = Database()
        self.servers = [self.starts() for _ in range(self.count)]

    def starts(self) -> ChatFactory:
        """One more server."""
        turn = Turn(partial(self.clock.callLater, 0))
        store, limits = self.database.node(turn), replace(self.limits)
        accounts = cheap_accounts(self.clock, store, limits)
        chat = Chat(self.clock, store, turn, "the lab", limits, accounts=accounts)
        self.successResultOf(chat.ready)
        return ChatFactory(self.clock, chat=chat)

    def dies(self, server: int) -> None:
        """A server is killed; the others find that out."""
        factory = self.servers[server]
        self.servers = [each for each in self.servers if each is not factory]
        store = factory.chat._store
        assert isinstance(store, Node)
        self.database.dies(store)
        self.clock.advance(0)

    def stands_still(self, server: int) -> None:
        """A server hears nothing, and those who come to it are not heard."""
        store = self.servers[server].chat._store
        assert isinstance(store, Node)
        self.database.still.add(store.number)

    def goes_on_after_standing_still(self) -> None:
        """All servers hear of everything again."""
        self.database.still.clear()
        self.database.all_hear()
        self.clock.advance(0)

    def joins(self, nickname: str, server: int = 0, host: str = "127.0.0.1") -> Person:
        """Somebody with netcat at a server, who has read what stands in the lobby."""
        person = Person(self.servers[server], host).types(nickname)
        self.clock.advance(0)
        seen = person.raw()
        assert f"*** Welcome, {nickname}! You are in #lobby." in seen, seen
        return person

    def program(self, nickname: str, server: int = 0, **hello: Any) -> Program:
        """A program that has said hello at a server, and has not looked at the answer yet."""
        return Program(self.servers[server]).asks(do="hello", nick=nickname, **hello)

    def time_passes(self, seconds: float) -> None:
        """Let time pass, a second at a time."""
        for _ in range(int(seconds)):
            self.clock.advance(1)
        self.clock.advance(seconds % 1)

    def look_away(self, *people: Somebody) -> None:
        """What has come until now is of no interest."""
        self.clock.advance(0)
        for person in people:
            person.raw()
