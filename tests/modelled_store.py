"""The store of one server, over the model of a database; see `modelled_database`."""

import json
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from twisted.internet.defer import Deferred, fail, succeed

from tests.modelled_database import Batch, Claim, Database, Group, News, Release
from twisted_chat.events import Entry
from twisted_chat.refusal import Refused
from twisted_chat.stores import Opened, SavedSession, Subscriber
from twisted_chat.stores.account import Account, name_taken
from twisted_chat.stores.nameless import Replacements, nameless
from twisted_chat.stores.nodes import Hearer
from twisted_chat.turn import Turn


def away() -> Refused:
    """What is said while there is no connection."""
    return Refused("not-stored", "The database is away.")


class Node:
    """The store of one server; see `Store` and `Nodes`.

    What is asked for in one turn is stored together. The connection may break in the middle of
    that (`breaks`), or nothing may come through it for a while (`stands_still`).

    Args:
        database: where it stores.
        turn: says when a turn is over.
        number: the server's.
    """

    is_behind = False
    waiting = 0
    problem = ""

    def __init__(self, database: Database, turn: Turn, number: int) -> None:
        self.number = number
        self.news: deque[News] = deque()
        self.hearer: Hearer
        self.is_deaf = False
        """Whether it is told nothing for a while."""
        self.is_still = False
        """Whether nothing comes through the connection, either way."""
        self.is_dead = False
        """Whether the server does nothing more."""
        self._turn = turn
        self._group = Group()
        self._in_doubt: Group | None = None  # that is to be sent again; there is no connection
        self._breaks: bool | None = None  # in the next commit, which is stored, or is not
        self._is_replaced = False
        self._later: list[tuple[Callable[[], object], Deferred[None]]] = []
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

    @property
    def is_away(self) -> bool:
        """Whether nothing comes through, or there is no connection."""
        return self.is_still or self._in_doubt is not None

    @property
    def _is_there(self) -> bool:
        """Whether the others take it for one of them."""
        return self.number in self._database.nodes

    # What happens to it

    def hears(self) -> bool:
        """This server hears of what comes next; gives whether there was anything."""
        if self.news and not (self.is_deaf or self.is_away):
            self.news.popleft().reach(self)
            return True
        return False

    def loses_touch(self) -> None:
        """What others have told is not heard, and what they have stored is read afterwards."""
        own = self.number
        self.news = deque(each if each.node == own else each.later() for each in self.news)
        self.news.append(News(is_missed=True))

    def is_told_all(self) -> None:
        """This is how everything is now, though some of it is heard of again."""
        shared = json.loads(json.dumps(self._database.shared))
        self.hearer.missed(shared, list(self._database.nodes))

    def breaks(self, *, is_stored: bool) -> None:
        """The connection breaks in the next commit, whose answer is lost if it is stored."""
        self._breaks = is_stored

    def connects(self) -> None:
        """There is a connection again, over which the group is sent that is in doubt."""
        group, self._in_doubt, self._breaks = self._in_doubt, None, None
        if group is not None:
            self.loses_touch()
            self._store(group)
            self._commit()

    def is_killed(self) -> None:
        """The server does nothing more."""
        self.is_dead = True
        self._refuse_group(self._group)
        if self._in_doubt is not None:
            self._refuse_group(self._in_doubt)

    def stands_still(self) -> None:
        """Nothing comes through, until it goes on."""
        self.is_still = True

    def goes_on(self) -> None:
        """Everything comes through that has waited."""
        self.is_still = False
        self._commit()

    # Storing

    def _is_to_commit(self) -> None:
        self._turn.schedule(self._commit)

    def _commit(self) -> None:
        if self.is_dead or self.is_away:
            return
        group, self._group = self._group, Group()
        breaks, self._breaks = (self._breaks, None) if not group.is_empty else (None, self._breaks)
        if breaks is None:
            self._store(group)
            return
        if breaks and self._is_there:
            self._database.stores(self.number, group)
        self._in_doubt = group

    def _store(self, group: Group) -> None:
        if not self._is_there:
            self._is_taken_over(group)
            return
        self._write_at_once()
        self._database.stores(self.number, group)
        for answer in group.answers:
            answer()
        self.refuses_moved(group.left_out)

    def refuses_moved(self, batch: Batch) -> None:
        """Whoever did this has gone on at another server."""
        self._refuse(batch, Refused("replaced", "This session goes on at another server."))

    def _is_taken_over(self, group: Group) -> None:
        """Another server looks after our people: nothing is stored any more."""
        self._refuse_group(group)
        if not self._is_replaced:
            self._is_replaced = True
            self.hearer.replaced()

    def _refuse_group(self, group: Group) -> None:
        for batch in group.batches:
            self._refuse(_stored(batch), away())
            self._show_told(_only_told(batch))
        for claim in group.claims:
            if isinstance(claim, Claim):
                claim.done.errback(away())
        for taken, _ in group.takes:
            taken.errback(away())
        later, self._later = self._later, []
        for _, done in later:
            done.errback(away())

    def _refuse(self, batch: Batch, why: Refused) -> None:
        for log, entry in batch:
            if log in self._subscribers:
                self._subscribers[log].refuse([entry], why)

    def _show_told(self, batch: Batch) -> None:
        """Show here what is only told, and that nothing is before."""
        for log, entry in batch:
            if log in self._subscribers:
                entry.id = self._lasts[log]
                self._subscribers[log].show([entry])

    @property
    def _refuses(self) -> bool:
        """Whether what is asked for is refused at once."""
        return self._in_doubt is not None or self._is_replaced

    def _write(self, change: Callable[[], object]) -> Deferred[None]:
        """What is not in a group, and what somebody waits for."""
        if self._refuses or self.is_dead:
            return fail(away())
        done: Deferred[None] = Deferred()
        self._later.append((change, done))
        self._write_at_once()
        return done

    def _change(self, change: Callable[[], object]) -> None:
        """The same, for which nobody waits: it is done as soon as possible."""
        done: Deferred[None] = Deferred()
        done.addErrback(lambda failure: None)
        self._later.append((change, done))
        self._write_at_once()

    def _write_at_once(self) -> None:
        if self._is_there and not self.is_away:
            later, self._later = self._later, []
            for change, done in later:
                change()
                done.callback(None)

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

        def erases() -> None:
            self._database.kept.pop(log, None)
            self._database.states.pop(log, None)

        self._change(erases)

    def append(self, entries: Batch) -> None:
        """See `Store.append`."""
        if self._refuses:
            self._refuse(_stored(entries), away())
            entries = _only_told(entries)
            if not any(self._is_waited_for(log) for log, _ in entries):
                self._show_told(entries)
                self._group.late += entries
                return
        self._group.batches.append(entries)
        self._is_to_commit()

    def _is_waited_for(self, log: str) -> bool:
        """Whether something in a log is in doubt, or waits for what is."""
        groups = (self._in_doubt or Group(), self._group)
        return any(log == each for group in groups for batch in group.batches for each, _ in batch)

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
        return self._write(partial(self._database.sessions.__setitem__, saved.id, saved))

    def drop_session(self, device: str) -> None:
        """See `Store.drop_session`."""
        self._change(partial(self._database.sessions.pop, device, None))

    def accounts(self) -> Deferred[Sequence[Account]]:
        """See `Store.accounts`."""
        return succeed(list(self._database.accounts.values()))

    def save_account(self, account: Account) -> Deferred[None]:
        """See `Store.save_account`."""
        others = self._database.accounts.values()
        if any(each.key == account.key and each.id != account.id for each in others):
            return fail(name_taken(account.name))
        return self._write(partial(self._database.accounts.__setitem__, account.id, account))

    def drop_account(self, account_id: str) -> Deferred[None]:
        """See `Store.drop_account`."""
        return self._write(partial(self._database.accounts.pop, account_id, None))

    def make_nameless(self, person: str) -> Deferred[Mapping[str, Replacements]]:
        """See `Store.make_nameless`: what is in the states of logs, no test looks at here."""
        for kept in self._database.kept.values():
            for entry in kept:
                entry.event = nameless(entry, person)
        return succeed({})

    def forget(self, before: float) -> None:
        """See `Store.forget`: everything is kept."""

    def try_again(self) -> None:
        """See `Store.try_again`: it is tried when there is a connection."""

    def stop(self) -> Deferred[None]:
        """See `Store.stop`."""
        if self._is_there:
            self._database.buries(self)
        self.is_dead = True
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
        self._group.words.append((name, value))
        self._is_to_commit()

    def tell(self, name: str, value: Any) -> None:
        """See `Nodes.tell`."""
        self._group.told.append((name, value))
        self._is_to_commit()

    def claim(self, holder: str, keys: Sequence[str], instead_of: str = "") -> Deferred[None]:
        """See `Nodes.claim`."""
        if self._refuses:
            return fail(away())
        claim = Claim(Deferred(), holder, keys, instead_of)
        self._group.claims.append(claim)
        self._is_to_commit()
        return claim.done

    def release(self, holder: str, keys: Sequence[str]) -> None:
        """See `Nodes.release`."""
        self._group.claims.append(Release(holder, keys))
        self._is_to_commit()

    def take(self, client: str) -> Deferred[int]:
        """See `Nodes.take`."""
        if self._refuses:
            return fail(away())
        taken: Deferred[int] = Deferred()
        self._group.takes.append((taken, client))
        self._is_to_commit()
        return taken

    def inherit(self, node: int, kept: Mapping[str, Sequence[str]]) -> None:
        """See `Nodes.inherit`."""
        self._change(partial(self._database.inherits, self.number, node, kept))


def _stored(batch: Batch) -> Batch:
    return [each for each in batch if each[1].stored]


def _only_told(batch: Batch) -> Batch:
    return [each for each in batch if not each[1].stored]
