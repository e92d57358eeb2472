"""What is to be done beside storing entries, and who waits for it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias

from twisted.internet.defer import Deferred

from twisted_chat.events import Entry
from twisted_chat.refusal import Refused
from twisted_chat.stores.account import Account, name_taken
from twisted_chat.stores.nodes import Taken, Value
from twisted_chat.stores.postgres.logs import OpenLog
from twisted_chat.stores.postgres.nameless import MakeNameless
from twisted_chat.stores.records import account_row
from twisted_chat.stores.rows import Row


class Awaited(Protocol):
    """What somebody waits for."""

    done: Deferred[Any]
    """Fires when it is stored; fails if it is not."""


class AccountWrite:
    """One change to the accounts that somebody waits for.

    Args:
        change: an account to keep, or the id of one to keep no longer.
    """

    def __init__(self, change: Account | str) -> None:
        self._change = change
        self.done: Deferred[None] = Deferred()

    @property
    def row(self) -> Row | str:
        """As the function in the database has it."""
        return self._change if isinstance(self._change, str) else account_row(self._change)

    def tell(self, *, is_taken: bool) -> None:
        """It is stored, unless the name is taken."""
        if is_taken and isinstance(self._change, Account):
            self.done.errback(name_taken(self._change.name))
        else:
            self.done.callback(None)


class Claim:
    """Keys that somebody wants, and waits for.

    Args:
        holder: the id of who wants them.
        keys: what they want.
        instead_of: the id of somebody from whom they are taken.
    """

    def __init__(self, holder: str, keys: Sequence[str], instead_of: str) -> None:
        self.row = holder, instead_of, sorted(set(keys))
        self.done: Deferred[None] = Deferred()

    def tell(self, taken: str | None) -> None:
        """The keys are theirs, unless one is another's."""
        if taken is None:
            self.done.callback(None)
        else:
            self.done.errback(Taken(taken))


class Take:
    """A client that comes to this server, and waits until nothing it asked another for is stored.

    Args:
        client: its id.
    """

    def __init__(self, client: str) -> None:
        self.client = client
        self.done: Deferred[int] = Deferred()


@dataclass(frozen=True)
class Release:
    """Keys that somebody needs no more; arguments as in `Claim`."""

    holder: str
    keys: Sequence[str]

    @property
    def row(self) -> tuple[str, None, Sequence[str]]:
        """As the function in the database has it."""
        return self.holder, None, self.keys


Word: TypeAlias = tuple[str, Value, bool]
"""What it is about, what it is now, and whether that is kept."""


@dataclass(slots=True)
class Work:
    """What is to be done beside storing entries, before that.

    Args:
        erased: names of logs to erase.
        dropped: ids of devices whose sessions nobody resumes.
        saves: sessions to save, by the device's id.
        told: whoever waits for these sessions.
        accounts: changes of accounts, in their order.
        nameless: whose name is taken from all that they have done.
        inherited: servers that are gone, each with those of the keys it had claimed that stay so.
        takes: clients that come to this server.
        claims: keys that are wanted, or needed no more, in their order.
        words: what other servers are told, in its order.
        late: what is only told, and was shown here while the others could not be told.
        joins: whether this server is to be told how everything is.
        renews: whether the lease is renewed although there is nothing else to do, and others
            whose lease is over are gone.
    """

    erased: set[str] = field(default_factory=set)
    dropped: list[str] = field(default_factory=list)
    saves: dict[str, Row] = field(default_factory=dict)
    told: list[Deferred[None]] = field(default_factory=list)
    accounts: list[AccountWrite] = field(default_factory=list)
    nameless: list[MakeNameless] = field(default_factory=list)
    inherited: list[tuple[int, Mapping[str, Sequence[str]]]] = field(default_factory=list)
    takes: list[Take] = field(default_factory=list)
    claims: list[Claim | Release] = field(default_factory=list)
    words: list[Word] = field(default_factory=list)
    late: list[tuple[OpenLog, Entry]] = field(default_factory=list)
    joins: bool = False
    renews: bool = False

    @property
    def is_unsaved(self) -> bool:
        """Whether there is anything that nobody will ask for again."""
        is_released = any(isinstance(each, Release) for each in self.claims)
        changed = self.erased, self.dropped, self.saves, self.inherited, self.words, self.late
        return any(changed) or self.joins or is_released

    @property
    def is_awaited(self) -> bool:
        """Whether somebody waits for any of it."""
        is_claimed = any(isinstance(each, Claim) for each in self.claims)
        return bool(self.told or self.accounts or self.nameless or self.takes or is_claimed)

    @property
    def is_kept(self) -> bool:
        """Whether any of it is to outlive the database's machine."""
        is_told = all(not is_set for _, _, is_set in self.words)
        changed = self.erased, self.dropped, self.saves, self.accounts, self.nameless
        return any(changed) or bool(self.inherited or self.takes or self.claims) or not is_told

    def follow(self, earlier: "Work") -> None:
        """Do what could not be done earlier too, but for what was told to be refused."""
        self.erased |= earlier.erased
        kept = {who: row for who, row in earlier.saves.items() if who not in self.dropped}
        self.dropped = earlier.dropped + self.dropped
        self.saves = kept | self.saves
        self.inherited = earlier.inherited + self.inherited
        self.claims = [
            *(each for each in earlier.claims if isinstance(each, Release)),
            *self.claims,
        ]
        self.words = earlier.words + self.words
        self.late = earlier.late + self.late
        self.joins = self.joins or earlier.joins

    def refuse(self, unsaved: Refused, unchanged: Refused) -> None:
        """None of it is stored; whoever waits is told so, and what else there is stays."""
        told, self.told = self.told, []
        claims = [each for each in self.claims if isinstance(each, Claim)]
        changes: list[Awaited] = [*self.accounts, *self.nameless, *self.takes, *claims]
        self.accounts, self.nameless, self.takes = [], [], []
        self.claims = [each for each in self.claims if isinstance(each, Release)]
        for deferred in told:
            deferred.errback(unsaved)
        for change in changes:
            change.done.errback(unchanged)
