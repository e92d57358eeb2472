"""Several servers on one store are one chat: what they share, and tell each other."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, TypeAlias

from twisted.internet.defer import Deferred

from twisted_chat.events import Entry
from twisted_chat.refusal import Refused

Value: TypeAlias = Any
"""Anything that can be written as JSON; None where there is nothing."""


class Taken(Refused):
    """A key that somebody wants is another's.

    Args:
        key: which one.
    """

    def __init__(self, key: str) -> None:
        super().__init__("nick-taken", "That nickname is taken: choose another one.")
        self.key = key


class Hearer(Protocol):
    """What a server is told of the others. It is told of itself too, in the one order of all.

    Whatever is told comes in the same order everywhere, and so do the entries of all logs. What
    was stored together is told together, before its entries are shown.
    """

    def heard(self, node: int, name: str, value: Value) -> None:
        """A server has set or told something.

        Args:
            node: the server's number.
            name: what it is about.
            value: what it is now; None if it is no more.
        """

    def gone(self, node: int, heir: int) -> None:
        """A server is gone, and does nothing more; another looks after its people from now on.

        Until somebody has inherited the keys, this is told again, perhaps of another heir.
        """

    def counts(self, node: int, entry: Entry) -> bool:
        """Whether something that is only told is to be shown.

        It is not if whoever did it has gone on elsewhere, which the server that tells it did not
        know yet. All servers have to find the same.

        Args:
            node: the number of the server that tells it.
            entry: what is told.
        """

    def asked_for(self, log: str, room: str) -> None:
        """Something is about to be shown in a log that is not open here: this may open it.

        Args:
            log: the log's name.
            room: the name under which its readers know it.
        """

    def missed(self, shared: Mapping[str, Value], nodes: Sequence[int]) -> None:
        """Something may have been told that was not heard: this is how it is now.

        Events that are stored are shown all the same; those that are only told may be missing.

        Args:
            shared: all that is set.
            nodes: the numbers of the servers that are there.
        """

    def replaced(self) -> None:
        """This server was away for so long that another looks after its people: it has to end."""


class Nodes(Protocol):
    """The servers on one store."""

    @property
    def number(self) -> int:
        """The number of this server, which no other ever gets."""

    def join(self, hearer: Hearer) -> Deferred[Mapping[str, Value] | None]:
        """Hear what all servers tell from now on.

        Returns:
            All that is set; None if there is no other server: then nothing is set, and nobody has
            a key.
        """

    def set(self, name: str, value: Value) -> None:
        """Set something that all servers know, those too that start later; None ends it.

        It is stored as soon as possible, and whoever cannot be told now hears it later.

        There are two values that do not depend on what comes last alone. One with a number called
        `taken`, see `take`, is not stored while there is one with a greater number. And when
        somebody has another nickname (`Rename`), that is stored in their `name/ID` too.
        """

    def tell(self, name: str, value: Value) -> None:
        """Tell all servers something that is not kept."""

    def claim(self, holder: str, keys: Sequence[str], instead_of: str = "") -> Deferred[None]:
        """Take keys that nobody else has, all or none of them.

        Args:
            holder: the id of who wants them.
            keys: what they want.
            instead_of: the id of somebody from whom they are taken, if they have them.

        Returns:
            Fires when they are the holder's; fails with `Taken` if one of them is another's, and
            with `Refused` if that cannot be found out now.
        """

    def take(self, client: str) -> Deferred[int]:
        """What a client asks for with a `ref` is stored for this server alone from now on.

        That is so until another takes it, or this server is gone.

        So it is clear what is stored of what it has asked another server for.

        Args:
            client: its id.

        Returns:
            Fires when that is so, with a number that is greater than that of whoever took it
            before; fails with `Refused` if it is not.
        """

    def inherit(self, node: int, kept: Mapping[str, Sequence[str]]) -> None:
        """Of all keys that a server had claimed which is gone, only some stay claimed, by this one.

        It may have taken some of them from others, without having had the time to tell it: those
        that nobody has then are claimed too.

        Args:
            node: the server's number.
            kept: all that are to be claimed, by their holders' ids.
        """

    def release(self, holder: str, keys: Sequence[str]) -> None:
        """Somebody needs some keys no more that this server has claimed for them, or inherited.

        Those that are another's stay so, and those that another server has claimed for them since.
        """
