"""A transcript of the public rooms, as plain lines in a file."""

import os

from twisted.logger import Logger

from twisted_chat.chat.room import Room
from twisted_chat.log.reader import Reader
from twisted_chat.log.window import Wire

_log = Logger(namespace="chat")


class Transcript:
    """An outlet that writes to a file: it reads every room without being a member.

    Args:
        path: the file that is appended to; `-` is the console.
        wire: how events are shown.

    Raises:
        OSError: the file cannot be written.
    """

    ready = True

    def __init__(self, path: str, wire: Wire) -> None:
        self._wire = wire
        how = os.O_WRONLY | os.O_APPEND | os.O_CREAT
        self._file = 1 if path == "-" else os.open(path, how, 0o666)
        self._failing = False

    def watch(self, room: Room) -> None:
        """Record a room from now on."""
        Reader(room.fanout, self._wire, self)

    def write(self, data: bytes) -> None:
        """See `reader.Outlet`: a full disk is logged once, and the chat continues."""
        try:
            os.write(self._file, data.replace(b"\r\n", b"\n"))
            self._failing = False
        except OSError as error:
            if not self._failing:
                _log.error("Cannot write the transcript: {why}", why=error.strerror)
            self._failing = True

    def send(self, data: bytes, /) -> int:
        """See `reader.Outlet`."""
        self.write(data)
        return len(data)

    def hold(self, rest: bytes, why: OSError | None = None) -> None:
        """See `reader.Outlet`; a file takes everything."""
