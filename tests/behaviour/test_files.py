"""Sending files to a room, whichever way one is in."""

import re
from typing import Any, ClassVar, cast

from tests.behaviour.case import Behaviour
from tests.behaviour.seen import Noticed, Sent, Told
from tests.behaviour.visitor import Visitor
from tests.people import ChatTestCase
from tests.postgres_case import PostgresSharingTestCase
from tests.sharing import WHERE, SharingTestCase

GONE = ""


class FileTests(Behaviour):
    base: ClassVar[type[ChatTestCase]] = SharingTestCase
    in_postgres: ClassVar[type[ChatTestCase]] = PostgresSharingTestCase

    def setUp(self) -> None:
        """Alice and bob are in the lobby."""
        super().setUp()
        self.alice, self.bob = self.come("alice", "bob")

    def sends_file(self, somebody: Visitor, name: str) -> str:
        """Somebody asks for an address, and sends a file there; gives where it is then."""
        somebody.does("/upload")
        texts = [seen.text for seen in somebody.sees(Told) if isinstance(seen, Told)]
        (path,) = re.findall(rf"curl -T FILE {WHERE}(\S+)", "\n".join(texts))
        status, address = cast(Any, self).puts(path + name, b"hello")
        self.assertEqual(status, 201)
        return str(address)

    def test_everybody_in_the_room_sees_it(self) -> None:
        address = self.sends_file(self.bob, "a.txt")
        for each in (self.alice, self.bob):
            self.assertEqual(each.sees(Sent), [Sent("bob", "a.txt", address)])
        carol = self.comes_and_reads("carol")
        self.assertEqual(carol, [Sent("bob", "a.txt", address)])

    def comes_and_reads(self, nickname: str) -> list[Any]:
        return cast(list[Any], self.connects().answers(nickname).sees(Sent))

    def test_it_goes_to_the_room_that_one_types_into(self) -> None:
        self.alice.joins("dev")
        self.bob.joins("dev")
        address = self.sends_file(self.bob, "a.txt")
        self.assertEqual(self.alice.sees(Sent), [Sent("bob", "a.txt", address, "#dev")])

    def test_whoever_sent_it_deletes_it(self) -> None:
        self.sends_file(self.bob, "a.txt")
        self.look_away(self.alice, self.bob)
        self.bob.does("/delete a.txt")
        for each in (self.alice, self.bob):
            self.assertEqual(each.sees(Noticed), [Noticed("bob deleted a.txt in #lobby")])
        self.assertEqual(self.comes_and_reads("carol"), [Sent("bob", "a.txt", GONE)])


globals().update(FileTests.make_test_case_classes())
