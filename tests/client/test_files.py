"""Files that somebody sends with the client, as far as it gets before anything is sent."""

import os
from collections.abc import Callable
from pathlib import Path

from twisted.internet.defer import Deferred

from tests.client.desk import Desk, DeskTest, Server
from twisted_chat.client.failed import Failed
from twisted_chat.client.files import Files, bar

URL = "http://chat.example/upload/x/"


class Post:
    """Takes files to the post, and tells what becomes of them when the test says so."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, str]] = []
        self.told: Callable[[int], None]
        self.done: Deferred[None]

    def post(self, url: str, path: Path, told: Callable[[int], None]) -> Deferred[None]:
        self.sent.append((url, path.name))
        self.told, self.done = told, Deferred()
        return self.done


class SendingTests(DeskTest):
    def setUp(self) -> None:
        """There is a report of a thousand bytes."""
        self.report = Path(self.mktemp())
        self.report.write_bytes(bytes(1000))

    def test_the_server_is_asked_for_an_address(self) -> None:
        for plain in (True, False):
            desk, server, post = self.with_post(plain=plain)
            desk.types(f"/send {self.report}")
            (asked,) = server.hears()
            self.assertEqual((asked["text"], asked["room"]), ("/upload", "#lobby"))
            server.says("answer", ref=asked["ref"], lines=["curl -T FILE"], url=URL)
            self.assertEqual(post.sent, [(URL, self.report.name)])
            post.done.callback(None)
            self.assertEqual((desk.sees(), desk.is_warned()), ([], []))

    def with_post(self, *, plain: bool) -> tuple[Desk, Server, Post]:
        desk, server = self.connected(plain=plain)
        post = Post()
        desk.talk.files = Files(
            post, desk.talk._ask_for_address, desk.view.refused, desk.talk._settle
        )
        return desk, server, post

    def test_a_script_ends_when_its_file_is_sent(self) -> None:
        desk, server, post = self.with_post(plain=False)
        desk.types(f"/send {self.report}")
        desk.ends_input()
        (asked,) = server.hears()
        server.says("answer", ref=asked["ref"], lines=[], url=URL)
        self.assertEqual(server.hears(), [])
        post.done.callback(None)
        self.assertEqual(server.is_told(), ["/quit"])

    def test_what_is_refused_on_the_way_is_said(self) -> None:
        desk, server, post = self.with_post(plain=False)
        desk.types(f"/send {self.report}")
        server.says("answer", ref=server.hears()[0]["ref"], lines=[], url=URL)
        post.done.errback(Failed("That file is too large."))
        self.assertEqual(desk.is_warned(), ["!!! That file is too large."])

    def test_a_server_that_knows_no_files_is_not_waited_for(self) -> None:
        for told in ({"url": ""}, {"url": "file:///etc/passwd"}, {}, {"url": 5}):
            desk, server, post = self.with_post(plain=False)
            desk.types(f"/send {self.report}")
            server.says("answer", ref=server.hears()[0]["ref"], lines=[], **told)
            self.assertEqual(desk.is_warned(), ["!!! This server gives no address for files."])
            self.assertEqual(post.sent, [])

    def test_what_is_no_file_is_not_asked_for(self) -> None:
        desk, server, _ = self.with_post(plain=False)
        desk.types("/send", "/send none", f"/send {self.report.parent}")
        self.assertEqual(server.hears(), [])
        self.assertEqual(
            desk.is_warned(),
            [
                "!!! Usage: /send FILE",
                "!!! none cannot be sent: No such file or directory.",
                f"!!! {self.report.parent} cannot be sent: Is a directory.",
            ],
        )

    def test_a_pipe_that_nobody_writes_to_is_not_waited_for(self) -> None:
        desk, server, _ = self.with_post(plain=True)
        pipe = self.report.with_name("pipe")
        os.mkfifo(pipe)
        desk.types(f"/send {pipe}")
        self.assertEqual(desk.sees(), [f"!!! {pipe} cannot be sent just now."])
        self.assertEqual(server.hears(), [])

    def test_a_file_is_whispered_to_nobody(self) -> None:
        desk, server, _ = self.with_post(plain=True)
        desk.types("/query bob")
        desk.sees()
        desk.types(f"/send {self.report}")
        self.assertEqual(server.hears(), [])
        self.assertEqual(desk.sees(), ["!!! Files can be sent only to rooms: end /query first."])

    def test_how_far_a_file_is_can_be_seen(self) -> None:
        desk, server, post = self.with_post(plain=True)
        self.assertEqual(desk.talk.files.progress, "")
        desk.types(f"/send {self.report}")
        server.says("answer", ref=server.hears()[0]["ref"], lines=[], url=URL)
        post.told(410)
        name = self.report.name
        self.assertEqual(desk.talk.files.progress, f"{name} [####------] 410 bytes of 1.0 kB")
        post.done.callback(None)
        self.assertEqual(desk.talk.files.progress, "")

    def test_a_file_that_others_send_is_a_line_with_its_address(self) -> None:
        desk, server = self.connected(plain=True)
        about = {"name": "a.pdf", "size": 1_234_567, "type": "application/pdf"}
        server.says("file", id=1, room="#lobby", from_="bob", url="http://x/file/y/a.pdf", **about)
        server.says("file", id=2, room="#lobby", from_="bob", **about)
        server.says("delete", id=3, room="#lobby", from_="bob", name="a.pdf", of=1)
        self.assertEqual(
            [line.partition("] ")[2] for line in desk.sees()],
            [
                "bob sent a.pdf (1.2 MB): http://x/file/y/a.pdf",
                "bob sent a.pdf (1.2 MB): no longer available",
                "*** bob deleted a.pdf in #lobby",
            ],
        )

    def test_strange_sizes_harm_nobody(self) -> None:
        desk, server = self.connected(plain=True)
        sizes: tuple[object, ...] = ("5", -1, None, 1e400, [], True)
        for size in sizes:
            server.says("file", id=1, room="#lobby", from_="bob", name="a", type="b", size=size)
        self.assertEqual(len(desk.sees()), 6)

    def test_a_bar_is_full_when_all_is_sent(self) -> None:
        self.assertEqual(bar(0, 0), "[----------] 0 bytes of 0 bytes")
        self.assertEqual(bar(10, 10), "[##########] 10 bytes of 10 bytes")
