"""People and programs on real sockets, and at real terminals."""

import json
import os
import pty
import select
import socket
import struct
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, ClassVar, Protocol, Self

from tests.e2e.patience import PATIENCE, needs


class Wire(Protocol):
    """What somebody's bytes come over."""

    def fileno(self) -> int:
        """What to wait for."""

    def close(self) -> None:
        """Let go of it."""


class Somebody:
    """Somebody who reads lines.

    Args:
        wire: what the lines come over.
    """

    everybody: ClassVar[list["Somebody"]] = []
    """Who is to go home after a test."""

    def __init__(self, wire: Wire) -> None:
        self.everybody.append(self)
        self.lines: list[str] = []
        self.ended = False
        self._wire = wire
        self._rest = b""

    def _receive(self) -> bytes:
        return os.read(self._wire.fileno(), 65536)

    def _send(self, data: bytes) -> None:
        raise NotImplementedError

    def goes_home(self) -> None:
        """Be gone, whatever was going on."""
        self._wire.close()

    def comes_in(self, nickname: str) -> Self:
        """Answer the question for a nickname."""
        self.sees("What is your nickname?")
        self.types(nickname)
        self.sees(f"*** Welcome, {nickname}!")
        self.sees("*** In #lobby: ")
        return self

    def types(self, *lines: str, end: str = "\n") -> None:
        """Send lines."""
        self._send("".join(line + end for line in lines).encode())

    def reads(self, seconds: float = 0.0) -> bool:
        """Read what has come, or wait for it; says whether anything has."""
        if self.ended or not select.select([self._wire], [], [], seconds)[0]:
            return False
        try:
            data = self._receive()
        except OSError:  # broken; or of a terminal that nobody is at any more
            data = b""
        self.ended = not data
        *lines, self._rest = (self._rest + data).split(b"\n")
        self.lines += [line.decode().rstrip("\r") for line in lines]
        return True

    def waits(self, until: Callable[[], bool], what: str) -> None:
        """Read until something is so."""
        deadline = time.monotonic() + PATIENCE
        while not until():
            left = deadline - time.monotonic()
            if left <= 0 or self.ended:
                raise AssertionError(f"never saw {what}; saw {self.lines[-30:]}")
            self.reads(min(left, 0.5))

    def sees(self, text: str) -> str:
        """Wait for a line with this text, and give the first one."""
        self.waits(lambda: self.has_seen(text), repr(text))
        return next(line for line in self.lines if text in line)

    def has_seen(self, text: str) -> bool:
        """Whether there is a line with this text among those read until now."""
        return any(text in line for line in self.lines)

    def has_seen_last(self, count: int) -> list[str]:
        """The last lines, without the time at their beginning."""
        return [said(line) for line in self.lines[-count:]]

    def sees_the_end(self) -> None:
        """Wait until the server closes."""
        deadline = time.monotonic() + PATIENCE
        while not self.ended and time.monotonic() < deadline:
            self.reads(0.5)
        assert self.ended, f"the connection stayed open: {self.lines[-5:]}"


class Plain(Somebody):
    """Somebody with a raw connection.

    Args:
        port: where the server is; or its address, or the path of its socket.
        nickname: what they answer to its question; None answers nothing.
        source: the address that they come from, if that matters.
    """

    def __init__(
        self, port: int | tuple[str, int] | Path, nickname: str | None = None, source: str = ""
    ) -> None:
        if isinstance(port, Path):
            self.socket = socket.socket(socket.AF_UNIX)
            self.socket.connect(str(port))
        else:
            address = ("127.0.0.1", port) if isinstance(port, int) else port
            self.socket = socket.create_connection(address, PATIENCE, (source, 0))
        super().__init__(self.socket)
        if nickname is not None:
            self.comes_in(nickname)

    def _send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def says_no_more(self) -> None:
        """Close the sending half."""
        self.socket.shutdown(socket.SHUT_WR)

    def closes(self) -> None:
        """Close in good order."""
        self.socket.close()

    def vanishes(self) -> None:
        """Break the connection."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()


class Program(Plain):
    """A program that speaks structured lines, and keeps what a client keeps.

    Args:
        port: where the server is.
        nickname: what it calls itself.
        before: the program that it goes on for after a lost connection.
    """

    def __init__(self, port: int, nickname: str, before: "Program | None" = None) -> None:
        super().__init__(port)
        self._looked_at = 0
        self.events: list[dict[str, Any]] = list(before.events) if before else []
        self.seen: dict[str, int] = dict(before.seen) if before else {}
        self.session: str | None = before.session if before else None
        hello: dict[str, Any] = {"do": "hello", "nick": nickname}
        if before is not None:
            hello |= {"session": self.session, "seen": self.seen}
        self.does(**hello)

    def does(self, **thing: object) -> None:
        """Send an object."""
        self.types(json.dumps(thing))

    def says(self, text: str, room: str = "#lobby") -> None:
        """Say something, and wait until it is acknowledged."""
        ref = f"ref-{len(self.events)}-{text[:20]}"
        self.does(do="say", room=room, text=text, ref=ref)
        self.gets(event="message", ref=ref)

    def reads(self, seconds: float = 0.0) -> bool:
        """Read, and take note of every event."""
        came = super().reads(seconds)
        for line in self.lines[self._looked_at :]:
            if line.startswith("{"):
                event = json.loads(line)
                self.events.append(event)
                if "id" in event and event["event"] != "answer":
                    self.seen[event["room"]] = event["id"]
                self.session = event.get("session", self.session)
        self._looked_at = len(self.lines)
        return came

    def forgets(self) -> None:
        """Keep nothing of what was read until now but where it was."""
        self.events.clear()
        self.lines.clear()
        self._looked_at = 0

    def gets(self, **wanted: object) -> dict[str, Any]:
        """Wait for an event with these values, and give it."""

        def found() -> list[dict[str, Any]]:
            return [event for event in self.events if wanted.items() <= event.items()]

        self.waits(lambda: bool(found()), repr(wanted))
        return found()[0]


class Typist(Somebody):
    """Somebody who types into a program: at a terminal, or through pipes.

    Args:
        command: the program.
        terminal: whether it has one.
        keywords: more for `subprocess.Popen`.
    """

    def __init__(self, *command: str, terminal: bool = False, **keywords: Any) -> None:
        needs(command[0])
        if terminal:
            mine, its = pty.openpty()
            self._keys: IO[bytes] = os.fdopen(mine, "r+b", buffering=0)
            self.process = subprocess.Popen(
                command, stdin=its, stdout=its, stderr=its, start_new_session=True, **keywords
            )
            os.close(its)
            super().__init__(self._keys)
        else:
            self.process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0, **keywords
            )
            assert self.process.stdin is not None
            assert self.process.stdout is not None
            self._keys = self.process.stdin
            super().__init__(self.process.stdout)

    def _send(self, data: bytes) -> None:
        os.write(self._keys.fileno(), data)

    def ends_input(self) -> None:
        """Type no more: the end of the file, or of the pipe."""
        self._keys.close()

    def exits(self) -> int:
        """Read what there is to the program's end, and give its exit status."""
        self.sees_the_end()
        return self.process.wait(PATIENCE)

    def goes_home(self) -> None:
        """End the program."""
        self.process.kill()
        self.process.wait(PATIENCE)
        self._keys.close()
        super().goes_home()


def said(line: str) -> str:
    """A line without the time at its beginning."""
    return line.partition("] ")[2] if line.startswith("[") else line
