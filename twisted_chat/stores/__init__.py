"""Stores: where logs are kept, and who gives their events an order."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from twisted.internet.defer import Deferred

from twisted_chat.events import Entry
from twisted_chat.events.effects import State
from twisted_chat.refusal import Refused
from twisted_chat.stores.account import Account
from twisted_chat.stores.nameless import Replacements
from twisted_chat.stores.nodes import Nodes

_T = TypeVar("_T")

SERVER_LOG = "*server"
"""The server's own log, of which nothing is ever forgotten, however old it is."""


class WorkerThread(Protocol):
    """A thread that does one job after another."""

    def __call__(self, work: Callable[[], _T]) -> Deferred[_T]:
        """Do some work there."""


class Subscriber(Protocol):
    """What a store tells a log."""

    def show(self, entries: Sequence[Entry]) -> None:
        """These are now stored, in this order and numbered: they can be shown."""

    def hear(self, entries: Sequence[Entry]) -> None:
        """These were appended by another server, come next, and can be shown."""

    def refuse(self, entries: Sequence[Entry], why: Refused) -> None:
        """These could not be stored, and nobody will see them."""


@dataclass(frozen=True)
class SavedSession:
    """What is kept of a device that may resume, so that a restart does not end its session.

    Args:
        id: the device's id.
        person: the id of the person whose device it is, under which their own log is kept too.
        token: what they prove to be themselves with, hashed.
        nickname: what they are called.
        address: where they came from.
        since: when they came, in seconds since 1970.
        rooms: by name, the last number when they entered.
        room: the key of the room that they were typing into; empty if they had not chosen one.
        away: why they are away; None if they are here.
        ignored: nickname and id of everybody whom they do not want to hear.
        former: nicknames that they had to give up while they were away.
        done: their last requests that left no event, by the client's name for them.
        is_quiet: whether they only post, and nobody is told that they come and go.
        account: the id of their account; empty if they have none.
        until: how long the device stays logged in, in seconds since 1970; 0 for as short a time
            as anybody's.
        is_asleep: whether it was away for so long that it keeps nobody in the chat any more.
        is_displaced: whether somebody else has taken the nickname.
    """

    id: str
    person: str
    token: str
    nickname: str
    address: str
    since: float
    rooms: dict[str, int]
    room: str = ""
    away: str | None = None
    ignored: Sequence[tuple[str, str]] = ()
    former: Sequence[str] = ()
    done: Sequence[str] = ()
    is_quiet: bool = False
    account: str = ""
    until: float = 0.0
    is_asleep: bool = False
    is_displaced: bool = False


@dataclass(frozen=True)
class Opened:
    """What a log has come to when it is opened.

    Args:
        last: the number of its last event; 0 if it has none.
        state: what its events have made of it, see `events.effects`.
    """

    last: int
    state: State


class Store(Protocol):
    """Keeps logs, and gives each event its number: 1, 2, 3 and so on, without a hole.

    An event that is only told has a place in the order too: it goes through the store like the
    others, is not kept, and comes out with the number of the stored event before it.

    What an event changes in the state of its log is stored together with it.
    """

    @property
    def epoch(self) -> str:
        """The epoch of event numbers: when it changes, they start again from 1."""

    @property
    def nodes(self) -> Nodes | None:
        """The servers that use it, if there can be several."""

    def open(self, log: str, room: str, subscriber: Subscriber) -> Deferred[Opened]:
        """Tell `subscriber` what happens in a log from now on.

        Args:
            log: the log's name.
            room: the name under which its readers know it.
            subscriber: is told of nothing before it is known what the log has come to.
        """

    def begin(self, log: str, room: str, subscriber: Subscriber) -> None:
        """Begin a log of a name that nobody has ever used: there is nothing to wait for.

        The arguments are those of `open`.
        """

    def close(self, log: str) -> None:
        """Tell its subscriber nothing more."""

    def erase(self, log: str) -> None:
        """Forget everything that a log holds, its state too, and keep nothing that still comes."""

    def append(self, entries: Sequence[tuple[str, Entry]]) -> None:
        """Append entries to their logs, then tell the logs' subscribers.

        They are stored together or not at all, as one request asks for them, and their effects
        on the logs' states with them. Where too much waits to be stored, also those that would
        only be told may be refused: nothing overtakes what waits.
        """

    def make_nameless(self, person: str) -> Deferred[Mapping[str, Replacements]]:
        """Take somebody's name from what they have done, and from what was done to them.

        Args:
            person: their id.

        Returns:
            What that replaces in the states of logs, by their names; fails as `drop_account` does,
            and is stored together with what is asked for in the same turn.
        """

    @property
    def is_behind(self) -> bool:
        """Whether so much is waiting to be stored that input should be slowed down."""

    @property
    def waiting(self) -> int:
        """How many entries are waiting to be stored."""

    @property
    def problem(self) -> str:
        """What the operator should know about the store just now; empty if all is well."""

    def after(self, log: str, number: int, limit: int) -> Deferred[Sequence[Entry]]:
        """The first stored entries after a number that are still kept, oldest first.

        Args:
            log: the log's name.
            number: the last event that is not wanted.
            limit: how many entries at the most.
        """

    def before(self, log: str, number: int, limit: int) -> Deferred[Sequence[Entry]]:
        """The last stored entries before a number, oldest first; arguments as in `after`."""

    def number_at(self, log: str, time: float) -> Deferred[int]:
        """The number of the last event that is older than a time in seconds since 1970."""

    def rooms(self) -> Deferred[Sequence[str]]:
        """The names of the rooms that were kept from an earlier run, those last used first."""

    def saved_sessions(self) -> Deferred[Sequence[SavedSession]]:
        """Who may resume, from an earlier run, those last whose nickname somebody else took."""

    def refs(self, client: str, limit: int) -> Deferred[Sequence[tuple[str, int]]]:
        """The last requests of a client that were stored: `ref` and event's number, oldest first.

        Args:
            client: the id of the connection or session that asked.
            limit: how many at the most.
        """

    def save_session(self, saved: SavedSession) -> Deferred[None]:
        """Keep a device that may resume.

        Returns:
            Fires when that is stored; fails with `Refused` if it is not, and is tried again later.
        """

    def drop_session(self, device: str) -> None:
        """Nobody resumes the session of this device any more."""

    def accounts(self) -> Deferred[Sequence[Account]]:
        """Every account, from an earlier run."""

    def save_account(self, account: Account) -> Deferred[None]:
        """Keep an account, new or changed.

        Changes are made in the order in which they are asked for, and those of one turn together.

        Returns:
            Fires when that is stored; fails with `Refused` if it is not, also because another
            account has the name, and is not tried again.
        """

    def drop_account(self, account_id: str) -> Deferred[None]:
        """Keep an account no longer; answers as `save_account` does."""

    def forget(self, before: float) -> None:
        """Forget some of what is older than a time in seconds since 1970, but no log's last event,
        and nothing of `SERVER_LOG`.

        What these events have changed in their log's state stays. Only the oldest go, so that no
        hole is left where the clock was wrong. This is asked for again and again, so that no turn
        and no commit takes long.
        """

    def try_again(self) -> None:
        """Try again to store what nobody will send again; called every few seconds."""

    def stop(self) -> Deferred[None]:
        """Store what is still to be stored, read what is still to be read, then let go of all."""
