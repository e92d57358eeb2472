"""The server tells people what to type to join it."""

from ipaddress import ip_address

import ifaddr
from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress
from twisted.trial.unittest import SynchronousTestCase

from twisted_chat.service.endpoints import how_to_join, own_addresses


def adapter(name: str, *addresses: str) -> ifaddr.Adapter:
    """A network adapter with these addresses."""
    ips = [
        ifaddr.IP(text if ip_address(text).version == 4 else (text, 0, 0), 24, name)
        for text in addresses
    ]
    return ifaddr.Adapter(name, name, ips)


class HowToJoinTests(SynchronousTestCase):
    def test_a_port_is_joined_with_netcat_or_the_client(self) -> None:
        self.assertEqual(
            how_to_join("tcp:5000", IPv4Address("TCP", "192.0.2.2", 5000)),
            ["Join with: nc 192.0.2.2 5000, or: twisted-chat 192.0.2.2 5000"],
        )

    def test_a_port_with_tls_is_joined_with_what_speaks_tls(self) -> None:
        line = (
            "Join with: twisted-chat --tls 2001:db8::2 5001, or: ncat --ssl 2001:db8::2 5001, "
            "or: openssl s_client -quiet -connect [2001:db8::2]:5001"
        )
        where = IPv6Address("TCP", "2001:db8::2", 5001)
        for kind in ("ssl", "tls"):
            self.assertEqual(how_to_join(f"{kind}:5001", where), [line])

    def test_a_unix_socket_is_joined_by_its_path(self) -> None:
        for name in (b"/run/chat.sock", "/run/chat.sock"):
            self.assertEqual(
                how_to_join("unix:/run/chat.sock", UNIXAddress(name)),
                ["Join with: nc -U /run/chat.sock, or: twisted-chat unix:/run/chat.sock"],
            )

    def test_behind_a_proxy_nobody_is_told_to_join(self) -> None:
        self.assertEqual(
            how_to_join("haproxy:tcp:5002", IPv4Address("TCP", "192.0.2.2", 5002)),
            ["Proxies can connect to 192.0.2.2 port 5002"],
        )
        self.assertEqual(
            how_to_join("haproxy:unix:/run/chat.sock", UNIXAddress(b"/run/chat.sock")),
            ["Proxies can connect to unix:/run/chat.sock"],
        )

    def test_the_addresses_that_others_can_reach_are_told_first(self) -> None:
        adapters = [
            adapter("lo", "127.0.0.1", "::1"),
            adapter("docker0", "172.17.0.1"),
            adapter("eth1", "169.254.7.7"),
            adapter("eth0", "2001:db8::2", "192.0.2.2", "fe80::2"),
        ]
        self.assertEqual(
            own_addresses(adapters, ipv6=True),
            [
                *("192.0.2.2", "2001:db8::2"),
                *("172.17.0.1", "169.254.7.7"),
                *("127.0.0.1", "::1"),
            ],
        )
        self.assertNotIn("2001:db8::2", own_addresses(adapters, ipv6=False))
