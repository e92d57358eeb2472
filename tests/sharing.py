"""People who send files to a room, and others who fetch them."""

import re
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote

from tests.browsers import Asker
from tests.disk import let_go
from tests.people import ChatTestCase, Person, at_once, cheap_accounts
from twisted_chat import ChatFactory
from twisted_chat.chat.chat import Chat
from twisted_chat.chat.files import Files
from twisted_chat.stores import Store, WorkerThread
from twisted_chat.stores.contents import Contents
from twisted_chat.stores.folder import FolderContents
from twisted_chat.stores.sqlite.store import SqliteStore
from twisted_chat.turn import Turn

WHERE = "http://chat.example"
PNG = b"\x89PNG\r\n\x1a\n" + b"a picture" * 3


def put(path: str, content: bytes, headers: dict[str, str] | None = None) -> bytes:
    """A request that sends a file, as it goes over the wire."""
    sent = {"Host": "chat.example", "Content-Length": str(len(content))} | (headers or {})
    lines = [f"PUT {path} HTTP/1.1", *(f"{name}: {value}" for name, value in sent.items())]
    return "".join(line + "\r\n" for line in (*lines, "")).encode() + content


class SharingTestCase(ChatTestCase):
    """A chat that takes files, on a disk that is never busy."""

    keep: float | None = 3600.0
    elsewhere: WorkerThread = staticmethod(at_once)

    def setUp(self) -> None:
        """An empty chat."""
        super().setUp()
        folder = Path(self.mktemp())
        folder.mkdir()
        self.path, self.folder = folder / "chat.sqlite", folder / "chat.files"
        self.store: Any = None
        self.starts()
        self.addCleanup(self.stops)

    def starts(self) -> None:
        """The server starts."""
        turn = Turn(partial(self.clock.callLater, 0))
        self.store = self.opens(turn)
        limits = replace(self.limits)
        contents = self.opens_contents()
        now = self.clock.seconds
        self.files = Files(contents, limits, self.clock, now, lambda: WHERE, self.keep)
        accounts = cheap_accounts(self.clock, self.store, limits)
        self.chat = Chat(
            self.clock, self.store, turn, "the lab", limits, accounts=accounts, files=self.files
        )
        self.clock.advance(0)  # a database that several servers use is asked for what there is
        self.factory = ChatFactory(self.clock, chat=self.chat)
        self.web = self.factory.web({})

    def opens(self, turn: Turn) -> Store:
        """The database."""
        return SqliteStore(self.path, turn, at_once, at_once, at_once)

    def opens_contents(self) -> Contents:
        """Where files are kept."""
        return FolderContents(self.folder, self.elsewhere)

    def dies(self) -> None:
        """The database is let go of, as when the server is killed."""
        let_go(self.store)
        self.closes_halves()

    def closes_halves(self) -> None:
        """Files that are coming just now are let go of, too."""
        for upload in self.files.uploads._uploads:
            file = cast(Any, upload.incoming)._file
            if file is not None:
                file.close()

    def stops(self) -> None:
        """It stops in good order."""
        if self.store is not None:
            self.factory.say_goodbye()
            self.clock.advance(0)
            self.successResultOf(self.store.stop())
            self.files.contents.stop()
            self.store = None

    def restarts(self) -> None:
        """It stops, and starts again on the same disk."""
        self.stops()
        self.starts()

    def in_a_room_of_its_own(self) -> tuple[Person, Person]:
        """Boss, who owns #dev, and bob, who is there too."""
        boss, bob = self.joins("boss"), self.joins("bob")
        owner = self.chat.people.find("boss")
        owner.account = owner.id
        boss.types("/join dev").raw()
        bob.types("/join dev").raw()
        return boss, bob

    def begins(self, path: str, content: bytes, count: int) -> Asker:
        """A program has sent so many bytes of a file, and not the rest."""
        whole = put(path, content)
        return Asker(self.web).sends(whole[: len(whole) - len(content) + count])

    def is_offered(self, person: Person) -> str:
        """The path that somebody can send a file to."""
        for line in person.types("/upload").sees():
            if found := re.fullmatch(rf"\*\*\* curl -T FILE {WHERE}(/upload/\S+/)", line):
                return found[1]
        raise AssertionError("no address was offered")

    def sends(self, person: Person, name: str, content: bytes) -> str:
        """Somebody sends a file; gives its path."""
        status, body = self.puts(self.is_offered(person) + quote(name), content)
        self.assertEqual(status, 201, body)
        return body.removeprefix(WHERE)

    def puts(
        self, path: str, content: bytes, headers: dict[str, str] | None = None
    ) -> tuple[int, str]:
        """A program sends a file: the status and the text of the answer."""
        asker = Asker(self.web).sends(put(path, content, headers))
        self.clock.advance(0)
        status, _, body = asker.gets()
        asker.channel.connectionLost()
        return status, body.decode().strip()

    def gets(
        self, path: str, headers: dict[str, str] | None = None, method: str = "GET"
    ) -> tuple[int, dict[str, str], bytes]:
        """Somebody fetches a file: the status, headers and body of the answer."""
        asker = Asker(self.web).asks(path, {"Host": "chat.example"} | (headers or {}), method)
        answer = asker.gets()
        asker.channel.connectionLost()
        return answer

    def loses(self) -> None:
        """Whatever keeps the contents of files has lost them all."""
        for each in self.folder.glob("?" * 64):
            each.unlink()

    def on_disk(self) -> list[str]:
        """What is in the folder of files, beside the name of its database."""
        return sorted(path.name for path in self.folder.iterdir() if path.name != "epoch")
