"""People learn how others can join: by `/doors`, a QR code, or from the local network."""

from typing import Any

import ifaddr
from twisted.internet.address import IPv4Address, UNIXAddress
from twisted.internet.protocol import Factory
from twisted.internet.testing import MemoryReactorClock
from twisted.python.usage import UsageError
from twisted.trial.unittest import SynchronousTestCase

from tests.people import ChatTestCase
from tests.test_how_to_join import adapter
from twisted_chat.service import announce, endpoints, options, qr
from twisted_chat.service.endpoints import Listening, how_to_join, how_to_join_and_browse
from twisted_chat.service.publicity import Publicity


class CommandTests(ChatTestCase):
    def test_anybody_is_told_what_the_service_knows_just_then(self) -> None:
        known = ["Join with: nc 192.0.2.2 5000"]
        self.factory.chat.how_to_join = lambda: known
        alice = self.joins("alice")
        self.assertEqual(alice.types("/doors").sees(), ["*** Join with: nc 192.0.2.2 5000"])
        known.append("Open in a browser: http://192.0.2.2:5000/")
        self.assertEqual(len(alice.types("/doors").sees()), 2)

    def test_a_server_that_knows_no_addresses_says_whom_to_ask(self) -> None:
        (line,) = self.joins("alice").types("/doors").sees()
        self.assertEqual(line, "*** This server does not know its addresses: ask whoever runs it.")


class Ports(SynchronousTestCase):
    def setUp(self) -> None:
        self.reactor = MemoryReactorClock()  # it knows no address where it listens
        self.patch(ifaddr, "get_adapters", lambda: [adapter("eth0", "192.0.2.2")])
        self.ports: list[Listening] = []
        self.publicity = Publicity(self.ports)
        self.told = [
            "a.example:5000",
            "tls://a.example:5001",
            "b.example:5000",
            "https://a.example",
        ]

    def listens(self, description: str, says: Any = how_to_join, **what: bool) -> Listening:
        port = Listening(description, Factory(), self.reactor, says, **what)
        self.ports.append(port)
        port.privilegedStartService()
        return port


class PublicityTests(Ports):
    def test_each_open_port_tells_its_addresses(self) -> None:
        self.listens("tcp:5000")
        self.listens("unix:/run/chat.sock")
        self.listens("tcp:8080", endpoints.where_to_browse, has_page=True)
        self.assertEqual(
            self.publicity.how_to_join(),
            [
                "Join with: nc 192.0.2.2 5000, or: twisted-chat 192.0.2.2 5000",
                "Join with: nc -U /run/chat.sock, or: twisted-chat unix:/run/chat.sock",
                "Open in a browser: http://192.0.2.2:8080/",
            ],
        )

    def test_where_the_operator_names_the_addresses_only_those_are_told(self) -> None:
        self.listens("tcp:5000")
        self.publicity.addresses = [*self.told, "tls://[2001:db8::2]:5001"]
        self.assertEqual(
            self.publicity.how_to_join(),
            [
                "Join with: nc a.example 5000, or: twisted-chat a.example:5000,b.example:5000",
                "Join with: twisted-chat --tls a.example:5001,[2001:db8::2]:5001",
                "Open in a browser: https://a.example/",
            ],
        )

    def test_the_page_is_where_the_operator_says(self) -> None:
        self.listens("tcp:8080", endpoints.where_to_browse, has_page=True)
        self.assertEqual(self.publicity.web_address(), "http://192.0.2.2:8080")
        self.publicity.addresses = self.told[:1]
        self.assertEqual(self.publicity.web_address(), "http://192.0.2.2:8080")
        self.publicity.addresses = self.told
        self.assertEqual(self.publicity.web_address(), "https://a.example")

    def test_ports_for_proxies_and_closed_ones_are_not_told(self) -> None:
        self.listens("haproxy:tcp:5002:interface=127.0.0.1")
        self.listens("tcp:5000:interface=127.0.0.1").stopService()
        self.assertEqual(self.publicity.how_to_join(), [])

    def test_the_addresses_of_the_machine_are_those_that_it_has_now(self) -> None:
        self.listens("tcp:5000")
        self.assertIn("nc 192.0.2.2 5000", self.publicity.how_to_join()[0])
        self.patch(ifaddr, "get_adapters", lambda: [adapter("eth0", "192.0.2.3")])
        self.assertIn("nc 192.0.2.3 5000", self.publicity.how_to_join()[0])

    def test_a_port_that_recognizes_tls_is_told_of_both_ways(self) -> None:
        where = IPv4Address("TCP", "192.0.2.2", 5000)
        lines = how_to_join_and_browse("tcp:5000", where, has_tls=True)
        self.assertEqual(
            lines,
            [
                "Join with: nc 192.0.2.2 5000, or: twisted-chat 192.0.2.2 5000",
                "Join with: twisted-chat --tls 192.0.2.2 5000",
                "Open in a browser: http://192.0.2.2:5000/",
            ],
        )
        self.assertNotIn(lines[1], how_to_join_and_browse("tcp:5000", where))
        for description, address in (("ssl:5000", where), ("unix:/s", UNIXAddress(b"/s"))):
            told = how_to_join_and_browse(description, address, has_tls=True)
            self.assertEqual(told[0], how_to_join(description, address)[0])
            self.assertEqual(sum("--tls" in line for line in told), description == "ssl:5000")


class QRTests(Ports):
    def setUp(self) -> None:
        super().setUp()
        self.encoded: list[str] = []

        def code(text: str) -> str:
            self.encoded.append(text)
            return f"<{text}>"

        self.patch(qr, "code", code)

    def test_it_has_the_address_of_the_page(self) -> None:
        self.listens("tcp:5000")
        self.listens("tcp:8080", endpoints.where_to_browse, has_page=True)
        self.assertEqual(self.publicity.qr_code(), "<http://192.0.2.2:8080/>")

    def test_it_has_the_address_that_the_operator_names(self) -> None:
        self.listens("tcp:8080", endpoints.where_to_browse, has_page=True)
        self.publicity.addresses = self.told
        self.assertEqual(self.publicity.qr_code(), "<https://a.example/>")

    def test_where_there_is_no_page_it_says_how_to_join(self) -> None:
        self.listens("tcp:5000")
        self.assertIn("nc 192.0.2.2 5000", self.publicity.qr_code())

    def test_where_nobody_can_join_there_is_none(self) -> None:
        self.assertEqual(self.publicity.qr_code(), "")


class AnnouncementTests(Ports):
    def test_where_only_a_socket_is_there_is_nothing_to_announce(self) -> None:
        self.listens("unix:/run/chat.sock")
        self.assertIsNone(self.publicity.announcement(self.reactor, "the lab"))

    def test_a_server_for_all_networks_does_not_announce_its_loopback_address(self) -> None:
        self.assertEqual(
            endpoints.beyond_this_machine(["192.0.2.2", "2001:db8::2", "127.0.0.1", "::1"]),
            ["192.0.2.2", "2001:db8::2"],
        )
        self.assertEqual(endpoints.beyond_this_machine(["127.0.0.1"]), ["127.0.0.1"])

    def test_a_long_name_is_cut_between_characters(self) -> None:
        service = announce.announced(announce.CHAT, "ä" * 40, ["127.0.0.1"], 5000, {})
        self.assertEqual(service.name, "ä" * 31 + "." + announce.CHAT)


class OptionTests(SynchronousTestCase):
    def test_without_the_libraries_it_says_what_to_install(self) -> None:
        self.patch(options, "find_spec", lambda _: None)
        for option, library in (("--qr", "segno"), ("--announce", "zeroconf")):
            parse = options.Options().parseOptions
            why = self.assertRaises(UsageError, parse, ["--no-db", option])
            self.assertEqual(str(why), f"{option} needs a library: pip install '{library}'")
