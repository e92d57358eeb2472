"""What a session asks of the connection that carries it."""

from typing import Protocol

from twisted_chat.log.reader import Outlet


class Frontend(Protocol):
    """A connection, whatever it carries: lines over TCP, messages of a WebSocket."""

    address: str
    """Where the other end is, without its port."""

    @property
    def outlet(self) -> Outlet:
        """Where what is read goes."""

    def write(self, data: bytes) -> None:
        """Answer."""

    def pause(self) -> None:
        """Deliver no lines until told to `resume`."""

    def resume(self) -> None:
        """Deliver lines again."""

    def deliver_all(self) -> None:
        """There is no later: deliver all lines that have come, whatever they waited for."""

    def close(self) -> None:
        """Send what has been written, then close."""

    def abort(self) -> None:
        """Close at once."""

    def named(self) -> None:
        """Whoever is at the other end has a nickname now."""
