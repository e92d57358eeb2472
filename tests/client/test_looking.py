"""Where the client goes if it is given no host."""

import socket
from collections.abc import Sequence

from twisted.trial.unittest import SynchronousTestCase

from twisted_chat.client.looking import Found, look
from twisted_chat.client.place import Place

LAB = Found("the lab", Place("192.0.2.2", 5000))
ATTIC = Found("the attic", Place("192.0.2.3", 5001, tls=True))

_FOUND = "Found the lab at 192.0.2.2 port 5000 on the local network"


class LookingTests(SynchronousTestCase):
    def setUp(self) -> None:
        listening = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(listening.close)
        self.listening = listening
        self.here = Place("127.0.0.1", listening.getsockname()[1])
        self.told: list[str] = []

    def looks(self, *found: Found) -> Found | None:
        """Look where this is to be found."""
        return look(self.here, lambda: found, self.told.append)

    def test_a_server_on_this_machine_is_taken_without_a_word(self) -> None:
        self.assertIsNone(self.looks(LAB))
        self.assertEqual(self.told, [])

    def test_one_on_the_network_is_named(self) -> None:
        self.listening.close()
        self.assertEqual(self.looks(LAB), LAB)
        self.assertEqual(self.told, [_FOUND])

    def test_of_several_the_others_are_named_too(self) -> None:
        self.listening.close()
        self.assertEqual(self.looks(LAB, ATTIC), LAB)
        self.assertEqual(
            self.told,
            [f"{_FOUND}. There is also the attic at 192.0.2.3 port 5001 (with TLS)"],
        )

    def test_where_there_is_none_one_reads_what_to_do(self) -> None:
        self.listening.close()

        def broken() -> Sequence[Found]:
            raise OSError("Network is unreachable")

        for find, why in (
            (list, "none announces itself nearby"),
            (None, "pip install zeroconf"),
            (broken, "Network is unreachable"),
        ):
            self.assertIsNone(look(self.here, find, self.told.append))
            self.assertIn(why, self.told[-1])
            self.assertIn("give the address of one: twisted-chat HOST", self.told[-1])
