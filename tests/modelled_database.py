"""A model of the database that several servers share: what it promises, and nothing else.

Groups are stored one after the other, each as a whole and once. Every server is told of them in
that order, early or late; where its connection is lost, it is told what is so by then.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred

from twisted_chat.events import Entry, Rename
from twisted_chat.events.effects import EFFECTS, Value, apply
from twisted_chat.stores import SavedSession
from twisted_chat.stores.account import Account
from twisted_chat.stores.nodes import Taken

if TYPE_CHECKING:
    from tests.modelled_store import Node

Batch = Sequence[tuple[str, Entry]]


@dataclass
class News:
    """What a server has stored and told, or that one is gone; or that some of it was not heard."""

    node: int = 0
    words: str = "[]"
    entries: Sequence[tuple[str, Entry, Entry]] = ()
    late: Sequence[tuple[str, Entry]] = ()
    gone: tuple[int, int] | None = None
    is_missed: bool = False

    def reach(self, node: "Node") -> None:
        """A server hears it."""
        if self.gone is not None:
            node.hearer.gone(*self.gone)
        for name, value in json.loads(self.words):
            node.hearer.heard(self.node, name, value)
        is_own = node.number == self.node
        for log, entry in () if is_own else self.late:
            if node.hearer.counts(self.node, entry):
                node.sees(log, None, replace(entry, id=0, waiter=None))
        for log, entry, copy in self.entries:
            if copy.stored or node.hearer.counts(self.node, copy):
                node.sees(log, entry if is_own else None, copy)
            elif is_own:
                node.refuses_moved([(log, entry)])
        if self.is_missed:
            node.is_told_all()

    def later(self) -> "News":
        """What is found of it by a server that has not heard it: only what is stored in logs."""
        stored = [each for each in self.entries if each[2].stored]
        return replace(self, words="[]", entries=stored, late=(), gone=None)


@dataclass(frozen=True)
class Claim:
    """Keys that somebody wants; see `Nodes.claim`."""

    done: Deferred[None]
    holder: str
    keys: Sequence[str]
    instead_of: str


@dataclass(frozen=True)
class Release:
    """Keys that somebody needs no more; see `Nodes.release`."""

    holder: str
    keys: Sequence[str]


@dataclass
class Group:
    """What a server asks for in one turn, in the order in which it is done."""

    claims: list[Claim | Release] = field(default_factory=list)
    words: list[tuple[str, Any]] = field(default_factory=list)
    told: list[tuple[str, Any]] = field(default_factory=list)
    takes: list[tuple[Deferred[int], str]] = field(default_factory=list)
    batches: list[Batch] = field(default_factory=list)
    answers: list[Callable[[], None]] = field(default_factory=list)
    left_out: list[tuple[str, Entry]] = field(default_factory=list)
    late: list[tuple[str, Entry]] = field(default_factory=list)
    is_stored: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether nothing is asked for."""
        asked = self.claims, self.words, self.told, self.takes, self.batches, self.late
        return not any(asked)


class Database:
    """What all servers share, and the one order of what they do.

    Each server hears of it when `hears` is called, or at once while `is_quick`.
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
        self.claimed_by: dict[str, int] = {}  # by key, the number of the server
        self.clients: dict[str, int] = {}  # that have moved: the number of the server
        self.nodes: dict[int, Node] = {}
        self.is_quick = True
        self._number = 0
        self._takes = 0  # how often any clients have moved
        self._is_telling = False

    # The servers

    def joins(self, make: Callable[[int], "Node"]) -> "Node":
        """One more server; `make` is given its number."""
        self._number += 1
        node = self.nodes[self._number] = make(self._number)
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
            while any(node.hears() for node in list(self.nodes.values())):
                pass
        finally:
            self._is_telling = False

    def buries(self, node: "Node") -> None:
        """A server is gone, or its lease is over, and one of the others finds that out."""
        del self.nodes[node.number]
        self.finds_out_who_is_gone(node.number)

    def finds_out_who_is_gone(self, *gone: int) -> None:
        """One of the servers does, as each does every few seconds."""
        claimants = {self.claimed_by[key] for key in self.claims}
        for each in sorted({*gone, *claimants} - self.nodes.keys()) if self.nodes else ():
            self.tells(News(gone=(each, min(self.nodes))))

    # Groups

    def stores(self, number: int, group: Group) -> None:
        """Store a group of a server's, unless that is done already, and tell all of it."""
        if group.is_stored:
            return
        group.is_stored = True
        for each in group.claims:
            if isinstance(each, Claim):
                group.answers.append(self._claim(number, each))
            else:
                self._release(number, each)
        for name, value in group.words:
            self._set(name, value)
        self._takes += 1
        for taken, client in group.takes:
            self.clients[client] = number
            group.answers.append(partial(taken.callback, self._takes))
        for batch in group.batches:
            if self._have_moved(number, batch):
                group.left_out += batch
        numbered = [
            (log, entry, self._number_entry(log, entry))
            for batch in group.batches
            if not self._have_moved(number, batch)
            for log, entry in batch
        ]
        words = [*group.words, *group.told]
        if words or numbered or group.late:
            self.tells(News(number, json.dumps(words), numbered, group.late))

    def _claim(self, number: int, claim: Claim) -> Callable[[], None]:
        allowed = claim.holder, claim.instead_of
        for key in claim.keys:
            if self.claims.get(key, claim.holder) not in allowed:
                return partial(claim.done.errback, Taken(key))
        for key in claim.keys:
            self.claims[key], self.claimed_by[key] = claim.holder, number
        return partial(claim.done.callback, None)

    def _release(self, number: int, release: Release) -> None:
        for key in release.keys:
            if self.claims.get(key) == release.holder and self.claimed_by[key] == number:
                del self.claims[key]

    def inherits(self, number: int, gone: int, kept: Mapping[str, Sequence[str]]) -> None:
        """A server has the keys of one that is gone, of which some stay claimed."""
        for key in [key for key in self.claims if self.claimed_by[key] == gone]:
            self.claimed_by[key] = number
            if key not in kept.get(self.claims[key], ()):
                del self.claims[key]
        for holder, keys in kept.items():
            for key in set(keys) - self.claims.keys():
                self.claims[key], self.claimed_by[key] = holder, number

    def _set(self, name: str, value: Any) -> None:
        if value is None:
            self.shared.pop(name, None)
        elif self.shared.get(name, {}).get("taken", 0) <= value.get("taken", 0):
            self.shared[name] = value

    def _have_moved(self, number: int, batch: Batch) -> bool:
        """Whether clients that asked for it have gone on at another server."""
        asking = [each.client or each.author for _, each in batch if each.ref is not None]
        nodes = {self.clients.get(client, number) for client in asking}
        return any(node != number and node in self.nodes for node in nodes)

    def _number_entry(self, log: str, entry: Entry) -> Entry:
        kept = self.kept.setdefault(log, [])
        copy = replace(entry, id=(kept[-1].id if kept else 0) + entry.stored, waiter=None)
        if entry.stored:
            kept.append(copy)
            if type(entry.event) in EFFECTS:
                apply(copy, self.states.setdefault(log, {}))
            elif isinstance(entry.event, Rename):
                self._rename(entry.author, entry.event)
        return copy

    def _rename(self, person: str, event: Rename) -> None:
        name = self.shared.get(f"name/{person}", {})
        if (name.get("nickname"), name.get("displaced")) == (event.sender, False):
            self.shared[f"name/{person}"] = {**name, "nickname": event.to}
