"""Which of a chat's addresses is tried next."""

from collections.abc import Collection, Sequence
from typing import NamedTuple

from twisted.internet.interfaces import IStreamClientEndpoint


class Address(NamedTuple):
    """One of the addresses of a chat.

    Args:
        endpoint: what connects there.
        where: what a person calls the place.
    """

    endpoint: IStreamClientEndpoint
    where: str = "the server"


class Route:
    """The addresses of a chat, in the order in which they are tried.

    In each round, every address is tried once.

    Args:
        given: where a person or a program has said that the chat is.
    """

    def __init__(self, given: Sequence[Address]) -> None:
        self._given = tuple(given)
        self._told: tuple[Address, ...] = ()
        self._useless: set[Address] = set()
        self._tried: set[Address] = set()

    @property
    def all(self) -> list[Address]:
        """The addresses that are worth trying."""
        return [each for each in (*self._given, *self._told) if each not in self._useless]

    @property
    def next(self) -> Address | None:
        """The first address that has not been tried in this round."""
        return next((each for each in self.all if each not in self._tried), None)

    def learn(self, told: Sequence[Address]) -> None:
        """The server tells that the chat has these addresses too."""
        self._told = tuple(each for each in told if each not in self._given)

    def tries(self, address: Address) -> None:
        """This address is being tried."""
        self._tried.add(address)

    def begin(self, tried: Collection[Address]) -> None:
        """Begin a new round, in which these addresses count as tried."""
        self._tried = set(tried)

    def end(self) -> None:
        """End the round: no other address is tried in it."""
        self._tried.update(self.all)

    def forget(self, address: Address) -> None:
        """This address is of no use."""
        self._useless.add(address)
