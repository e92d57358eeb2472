"""A network to a database that loses what is sent, or what is answered."""

from typing import Any

import psycopg

from twisted_chat.stores.postgres.connection import connect
from twisted_chat.stores.unusable import Unusable

_LOST = "server closed the connection unexpectedly"


class Network:
    """The way to a database."""

    def __init__(self) -> None:
        self.is_cut = False
        """Whether no connection can be made, and those there are are lost when they are used."""
        self.loses = ""
        """What is lost next, with its connection: a `group`, or its `answer`."""

        self.cuts_after = False
        """Whether nobody is reached after the next loss."""
        self.is_full = False
        """Whether the database's disk has no room."""

    def connect(self, *arguments: Any) -> Any:
        """See `connection.connect`."""
        if self.is_cut:
            raise Unusable("cannot use the database: No route to host")
        return _Wire(self, connect(*arguments))


class _Wire:
    def __init__(self, network: Network, connection: Any) -> None:
        self._network = network
        self._connection = connection

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    def execute(self, statement: Any, *values: Any) -> Any:
        if b"store_group" not in bytes(str(statement), "utf-8"):
            return self._connection.execute(statement, *values)
        lost, self._network.loses = self._network.loses, ""
        if lost == "group" or self._network.is_cut:
            self._break()
        if self._network.is_full:
            raise psycopg.errors.DiskFull("could not extend file: No space left on device")
        answer = self._connection.execute(statement, *values)
        if lost == "answer":
            self._break()
        return answer

    def _break(self) -> None:
        self._connection.close()
        self._network.is_cut = self._network.is_cut or self._network.cuts_after
        self._network.cuts_after = False
        raise psycopg.OperationalError(_LOST)
