"""Somebody at some frontend: what they can do, and what they see."""

from typing import Any, Self

from tests.behaviour.seen import Seen
from tests.people import Somebody
from twisted_chat import ChatFactory


class Visitor:
    """Somebody at some frontend.

    What they say themselves is on their screen already, so they do not see it; nor that they
    themselves come and go.

    Args:
        factory: the chat.
        host: where they come from.
    """

    kind: type[Somebody]
    """Who has the connection."""

    is_encrypted = False
    """Whether nobody on the way can read along."""

    def __init__(self, factory: ChatFactory, host: str = "127.0.0.1") -> None:
        self.nickname = ""
        self.line: Any = self.kind(factory, host)

    # What a frontend says for itself

    def answers(self, nickname: str) -> Self:
        """Ask for a nickname."""
        raise NotImplementedError

    def proves(self, nickname: str, password: str) -> Self:
        """Come as the owner of a registered nickname."""
        raise NotImplementedError

    def says(self, *texts: str) -> Self:
        """Say something in the room that they are typing into."""
        raise NotImplementedError

    def does(self, *commands: str) -> Self:
        """Do what a command says that begins with a slash."""
        raise NotImplementedError

    def _reads(self) -> list[Seen]:
        raise NotImplementedError

    # What every visitor can do

    def sees(self, *kinds: type) -> list[Seen]:
        """What has come since the last look, or what of it is of some kinds."""
        return [seen for seen in self._reads() if not kinds or isinstance(seen, kinds)]

    def joins(self, *rooms: str) -> Self:
        """Enter rooms; what they say goes to the last one."""
        return self.does(*(f"/join {room}" for room in rooms))

    def whispers(self, to: str, text: str) -> Self:
        """Say something to somebody alone, or to several with commas between them."""
        return self.does(f"/whisper {to} {text}")

    def is_called(self, nickname: str) -> Self:
        """Take another nickname."""
        return self.does(f"/nick {nickname}")

    def loses_the_line(self) -> None:
        """The connection breaks."""
        self.line.vanishes()

    def stops_reading(self) -> None:
        """Leave what comes where it is."""
        self.line.stops_reading()

    def reads_again(self) -> None:
        """Read what has come."""
        self.line.reads_again()

    @property
    def is_gone(self) -> bool:
        """Whether the server has closed the connection."""
        return bool(self.line.is_gone)
