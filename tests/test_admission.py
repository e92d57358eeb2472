"""Who may connect, from where, and how often."""

from twisted.internet.address import IPv4Address
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from tests.people import ChatTestCase, Person
from twisted_chat import Limits, Pace
from twisted_chat.addresses import neighbourhood
from twisted_chat.frontends.admission import FORGET, Admission
from twisted_chat.frontends.networks import Networks
from twisted_chat.refusal import Refused

HERE, THERE = "192.0.2.7", "198.51.100.1"


class NetworkTests(SynchronousTestCase):
    def test_addresses_and_networks_of_both_kinds(self) -> None:
        lines = ["# bad people", "192.0.2.7", "", "198.51.100.0/24  # a whole one", "2001:db8::/32"]
        networks = Networks(lines)
        for address in ("192.0.2.7", "198.51.100.255", "2001:db8:1::5", "2001:db8::1%eth0"):
            self.assertIn(address, networks)
        for address in ("192.0.2.8", "198.51.101.0", "2001:db9::1", "local", "", "unknown"):
            self.assertNotIn(address, networks)

    def test_everybody(self) -> None:
        self.assertIn(HERE, Networks(["0.0.0.0/0"]))
        self.assertNotIn("::1", Networks(["0.0.0.0/0"]))

    def test_a_wrong_line_is_named(self) -> None:
        error = self.assertRaises(ValueError, Networks, ["192.0.2.7", "", "192.0.2.300"])
        self.assertIn("line 3: '192.0.2.300' is not an address", str(error))

    def test_ipv6_addresses_are_for_free_within_64_bits(self) -> None:
        self.assertEqual(neighbourhood("2001:db8:0:1::5"), neighbourhood("2001:db8:0:1:9:9:9:9"))
        self.assertNotEqual(neighbourhood("2001:db8:0:1::5"), neighbourhood("2001:db8:0:2::5"))
        self.assertEqual(neighbourhood("fe80::1%eth0"), "fe80::/64")
        self.assertNotEqual(neighbourhood("192.0.2.7"), neighbourhood("192.0.2.8"))


class AddressTests(ChatTestCase):
    def fails(self, person: Person) -> str:
        """The sentence with which somebody is turned away."""
        (line,) = person.sees()
        self.assertTrue(person.is_gone)
        person.closes()
        return line

    def test_so_many_have_room_at_one_address_and_others_do_not_notice(self) -> None:
        people = []
        for number in range(16):
            people.append(self.joins(f"bob{number}", host=HERE))
            self.time_passes(5)
        refused = self.fails(self.connects(HERE))
        self.assertIn("!!! Too many connections from your address (the limit is 16)", refused)
        self.joins("carol", host=THERE)
        people[0].closes()
        self.joins("late", host=HERE)

    def test_so_many_may_be_without_a_nickname(self) -> None:
        people = [self.connects(HERE) for _ in range(4)]
        self.assertIn("have no nickname yet", self.fails(self.connects(HERE)))
        people[0].types("bob")
        self.connects(HERE)
        people[1].vanishes()
        self.connects(HERE)

    def test_who_comes_and_goes_all_the_time_has_to_wait(self) -> None:
        for _ in range(20):
            self.connects(HERE).closes()
        refused = self.fails(self.connects(HERE))
        self.assertEqual(refused, "!!! Too many connections from your address: wait 4 seconds.")
        self.time_passes(4)
        self.connects(HERE).types("bob")

    def test_the_machine_itself_is_exempt(self) -> None:
        for number in range(50):
            for host in ("127.0.0.1", "::1", "local"):
                self.assertIn("What is your nickname?", self.connects(host).raw())
                self.joins(f"bob{number}", host=host).types("/quit")

    def test_who_is_banned_does_not_come_in_and_who_is_here_is_sent_away(self) -> None:
        mallory, bot = self.joins("mallory", host=HERE), self.program("bot", host=HERE)
        nobody, alice = self.connects(HERE), self.joins("alice", host=THERE)
        mallory.raw(), bot.raw(), nobody.raw()
        self.factory.ban(Networks([HERE]), Networks())
        alice.turn_ends()
        self.assertIn("!!! You are banned from this server.", mallory.sees())
        self.assertEqual(bot.gets("error")[0]["code"], "banned")
        self.assertEqual(nobody.sees(), ["!!! You are banned from this server."])
        for somebody in (mallory, bot, nobody):
            self.assertTrue(somebody.is_gone)
        self.assertIn("*** mallory has left #lobby (banned)", alice.sees())
        self.assertIn("banned", self.fails(self.connects(HERE)))
        self.factory.ban(Networks([HERE]), Networks([HERE]))
        self.joins("mallory", host=HERE)

    def test_who_is_allowed_is_not_counted(self) -> None:
        self.factory.ban(Networks(), Networks(["192.0.2.0/24"]))
        for number in range(30):
            self.joins(f"bob{number}", host=HERE)

    def test_who_is_not_allowed_any_more_is_counted_from_then_on(self) -> None:
        self.factory.ban(Networks(), Networks([HERE]))
        people = [self.joins(f"bob{number}", host=HERE) for number in range(17)]
        self.factory.ban(Networks(), Networks())
        self.assertIn("the limit is 16", self.fails(self.connects(HERE)))
        people[0].closes()
        self.assertIn("the limit is 16", self.fails(self.connects(HERE)))
        people[1].closes()
        self.joins("carol", host=HERE)
        self.assertIn("the limit is 16", self.fails(self.connects(HERE)))

    def test_who_is_allowed_for_a_while_is_not_forgotten(self) -> None:
        for number in range(16):
            self.joins(f"bob{number}", host=HERE)
            self.time_passes(5)
        self.factory.ban(Networks(), Networks([HERE]))
        guests = [self.joins(f"guest{number}", host=HERE) for number in range(10)]
        for guest in guests:
            guest.closes()
        self.factory.ban(Networks(), Networks())
        self.assertIn("the limit is 16", self.fails(self.connects(HERE)))

    def test_who_has_no_nickname_yet_is_counted_so_after_a_reload_too(self) -> None:
        nobody, *_ = [self.connects(HERE) for _ in range(4)]
        self.assertIn("have no nickname yet", self.connects(HERE).raw())
        self.factory.ban(Networks(), Networks())
        self.assertIn("have no nickname yet", self.connects(HERE).raw())
        nobody.types("bob")
        self.assertIn("What is your nickname?", self.connects(HERE).raw())

    def test_who_is_allowed_takes_no_neighbours_place(self) -> None:
        self.factory.ban(Networks(), Networks(["2001:db8::5"]))
        bots = [self.joins(f"bot{number}", host="2001:db8::5") for number in range(30)]
        self.joins("alice", host="2001:db8::6")
        for bot in bots:
            bot.closes()
        for number in range(15):
            self.time_passes(5)
            self.joins(f"bob{number}", host="2001:db8::7")
        self.assertIn("the limit is 16", self.fails(self.connects("2001:db8::8")))


class ProxyTests(ChatTestCase):
    def through_a_proxy(self, host: str) -> Person:
        """Somebody whom a proxy speaks for, and whose header has not come yet."""
        person = Person(self.factory, None)
        person.transport.peerAddr = IPv4Address("TCP", host, 4000)
        return person

    def test_who_is_behind_a_proxy_counts_where_they_really_are(self) -> None:
        self.factory.ban(Networks([HERE]), Networks())
        mallory, alice = self.through_a_proxy(HERE), self.through_a_proxy(THERE)
        mallory.raw(), alice.raw()
        mallory.types("mallory", "hello")
        alice.types("alice")
        self.assertEqual(mallory.sees(), ["!!! You are banned from this server."])
        self.assertTrue(mallory.is_gone)
        self.assertIn("*** Welcome, alice!", alice.raw())
        for _ in range(4):
            self.connects(THERE)
        self.assertIn("no nickname", self.connects(THERE).raw())

    def test_a_proxy_is_not_a_place_of_its_own(self) -> None:
        for number in range(40):
            self.through_a_proxy(f"192.0.2.{number}").types(f"bob{number}")
        self.assertEqual(len(self.factory.chat.lobby.members), 40)


class MemoryTests(SynchronousTestCase):
    def test_addresses_that_are_gone_are_forgotten(self) -> None:
        clock = Clock()
        subscriber = Admission(clock, Limits())
        for number in range(20 * FORGET):
            address = f"2001:db8:{number:x}::1"
            subscriber.admit(address)
            subscriber.dismiss(address, nameless=True)
            clock.advance(0.1)
        self.assertLess(len(subscriber._places), 3 * FORGET)

    def test_who_is_here_and_who_was_just_here_is_not_forgotten(self) -> None:
        clock = Clock()
        subscriber = Admission(clock, Limits(per_address=1, connections=Pace(1, 10**6)))
        subscriber.admit(HERE)
        clock.advance(10**6)
        subscriber.admit(THERE)
        subscriber.dismiss(THERE, nameless=True)
        for number in range(3 * FORGET):
            address = f"2001:db8:{number:x}::1"
            subscriber.admit(address)
            subscriber.dismiss(address, nameless=True)
        refused = self.assertRaises(Refused, subscriber.admit, HERE)
        self.assertIn("the limit is 1", refused.text)
        self.assertEqual(self.assertRaises(Refused, subscriber.admit, THERE).code, "too-fast")

    def test_a_connection_that_is_refused_is_not_counted(self) -> None:
        subscriber = Admission(Clock(), Limits(clients=2))
        subscriber.admit(HERE)
        subscriber.admit(THERE)
        for _ in range(5):
            refused = self.assertRaises(Refused, subscriber.admit, HERE)
            self.assertEqual(refused.code, "full")
        subscriber.dismiss(HERE, nameless=True)
        subscriber.admit(HERE)
