"""Where a session may go on, of the addresses that a server tells."""

from twisted.internet.testing import MemoryReactorClock
from twisted.trial.unittest import SynchronousTestCase

from twisted_chat.client import elsewhere as module
from twisted_chat.client.doors import Doors
from twisted_chat.client.elsewhere import MOST, elsewhere
from twisted_chat.client.place import Place, places

TOLD = ["a.example:5001", "tls://b.example:5002", "tls://[2001:db8::2]", "https://a.example"]


def goes_on(given: str, *told: str) -> list[str]:
    """Where somebody goes on who was given these addresses, and is told those."""
    found = elsewhere(told, places(given))
    return [("tls " if each.tls else "") + str(each) for each in found]


class ElsewhereTests(SynchronousTestCase):
    def test_what_is_for_terminals_is_used_in_its_order(self) -> None:
        self.assertEqual(
            goes_on("home.example", *TOLD),
            ["a.example port 5001", "tls b.example port 5002", "tls 2001:db8::2 port 5000"],
        )

    def test_whoever_came_with_tls_does_not_go_on_without(self) -> None:
        secure = ["tls b.example port 5002", "tls 2001:db8::2 port 5000"]
        self.assertEqual(goes_on("tls://home.example", *TOLD), secure)

    def test_what_never_left_this_machine_is_not_sent_in_the_open_either(self) -> None:
        """Such as through a tunnel that ends here."""
        secure = ["tls b.example port 5002", "tls 2001:db8::2 port 5000"]
        for here in ("127.0.0.1", "[::1]:6000", "localhost", "unix:/run/chat.sock"):
            self.assertEqual(goes_on(here, *TOLD), secure)
        self.assertEqual(goes_on("127.0.0.1", "127.0.0.1:5001"), ["127.0.0.1 port 5001"])

    def test_a_server_elsewhere_sends_nobody_to_ports_of_their_own_machine(self) -> None:
        inner = ["127.0.0.1:6379", "localhost:22", "[::1]:25", "0.0.0.0:80", "tls://127.0.0.2:443"]
        self.assertEqual(goes_on("home.example", *inner, "unix:/run/docker.sock"), [])

    def test_each_is_there_once_and_those_that_were_given_are_not(self) -> None:
        told = ("a.example", "a.example:5000", "b.example", "home.example:5000")
        self.assertEqual(
            goes_on("home.example", *told), ["a.example port 5000", "b.example port 5000"]
        )

    def test_what_makes_no_sense_is_passed_over(self) -> None:
        for told in ("", "a:b", "a.example:0", "a.example:99999", "x" * 301, "a\x1b[2J.example"):
            self.assertEqual(goes_on("home.example", told), [])

    def test_there_are_never_more_than_a_few(self) -> None:
        told = [f"h{n}.example" for n in range(1000)]
        self.assertEqual(len(goes_on("home.example", *told)), MOST)

    def test_without_the_library_there_is_no_tls(self) -> None:
        self.patch(module, "find_spec", lambda _: None)
        self.assertEqual(goes_on("home.example", *TOLD), ["a.example port 5001"])


class DoorsTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.doors = Doors(MemoryReactorClock(), places("home.example,b.example"), self.fail)

    def test_an_address_is_the_same_whenever_it_is_told(self) -> None:
        """So that one that was found to be of no use stays so."""
        (first,) = self.doors.elsewhere(["a.example"])
        (again,) = self.doors.elsewhere(["a.example"])
        self.assertIs(first.endpoint, again.endpoint)
        self.assertEqual(first.where, "a.example port 5000")

    def test_it_is_known_where_an_address_is(self) -> None:
        """Files are sent to where the chat goes on."""
        _, second = self.doors.given
        (told,) = self.doors.elsewhere(["a.example"])
        self.assertEqual(self.doors.place(second), Place("b.example"))
        self.assertEqual(self.doors.place(told), Place("a.example"))
        self.assertEqual(self.doors.place(None), Place("home.example"))
