"""What somebody has read in the client is read on their other devices."""

from typing import Any

from tests.client.desk import Desk, DeskTest, Server


class MarkTests(DeskTest):
    def at_desk(self, **keys: Any) -> tuple[Desk, Server]:
        """Alice has logged in, and bob has said something."""
        desk, server = self.desk(**keys)
        server.accepts()
        server.hears()
        server.welcomes("alice", account="alice")
        self.bob_says(server, 1)
        return desk, server

    def bob_says(self, server: Server, number: int) -> None:
        """Bob says something in the lobby."""
        server.says("message", id=number, room="#lobby", from_="bob", text="hi")

    def marks(self, server: Server) -> list[int]:
        """What is said to be read of the lobby."""
        reads = [each for each in server.hears() if each["do"] == "read"]
        self.assertEqual({each["room"] for each in reads} - {"#lobby"}, set())
        return [each["id"] for each in reads]

    def test_who_types_has_read_what_is_shown(self) -> None:
        desk, server = self.at_desk(plain=True)
        self.assertEqual(self.marks(server), [])
        desk.types("hello")
        self.assertEqual(self.marks(server), [1])

    def test_it_is_told_seldom(self) -> None:
        desk, server = self.at_desk(plain=True)
        desk.types("hello")
        for number in (2, 3):
            self.bob_says(server, number)
            desk.types("hello")
        self.assertEqual(self.marks(server), [1])
        desk.waits(30)
        desk.types("hello", "hello")
        self.assertEqual(self.marks(server), [3])

    def test_it_is_told_when_they_leave(self) -> None:
        desk, server = self.at_desk(plain=True)
        desk.types("/quit")
        self.assertEqual([each["do"] for each in server.hears()], ["read", "command"])

    def test_a_guest_tells_nobody(self) -> None:
        desk, server = self.connected(plain=True)
        self.bob_says(server, 1)
        desk.types("hello")
        self.assertEqual(self.marks(server), [])

    def test_nobody_reads_what_a_pipe_writes(self) -> None:
        desk, server = self.at_desk()
        desk.types("hello")
        self.assertEqual(self.marks(server), [])
