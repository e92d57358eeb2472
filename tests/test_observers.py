"""Who embeds the server is told what happens, and may prevent it."""

from tests.people import ChatTestCase
from twisted_chat import ChatFactory, Observer, Refused, events
from twisted_chat.events import Event


class Listener(Observer):
    """An observer that takes note."""

    def __init__(self) -> None:
        self.asked: list[Event] = []
        self.told: list[tuple[Event, int]] = []

    def check(self, event: Event) -> None:
        self.asked.append(event)

    def happened(self, event: Event, number: int) -> None:
        self.told.append((event, number))

    def was_told(self) -> list[tuple[str, str, int]]:
        """The kinds of the events, through whom, and their numbers."""
        return [(type(event).__name__, event.sender, number) for event, number in self.told]

    def was_asked(self) -> list[tuple[str, str, str]]:
        """The kinds of the events, where, and through whom."""
        return [(type(event).__name__, event.room, event.sender) for event in self.asked]


class Strict(Observer):
    """An observer that is against everything that holds a word."""

    def check(self, event: Event) -> None:
        if "spam" in str(event):
            raise Refused("no-spam", "No advertising here: ask the landlord.")


class Broken(Observer):
    """An observer that fails."""

    def check(self, event: Event) -> None:
        raise ZeroDivisionError

    def happened(self, event: Event, number: int) -> None:
        raise ZeroDivisionError


class ObserverTestCase(ChatTestCase):
    observers: tuple[Observer, ...] = ()

    def setUp(self) -> None:
        super().setUp()
        self.factory = ChatFactory(self.clock, name="the lab", observers=self.observers)


class TellingTests(ObserverTestCase):
    def setUp(self) -> None:
        self.listener = Listener()
        self.observers = (self.listener,)
        super().setUp()

    def test_they_are_told_who_comes_what_is_said_and_who_leaves(self) -> None:
        alice = self.joins("alice")
        alice.types("hello", "/me waves", "/topic tea", "/nick al", "/away", "/quit bye")
        self.assertEqual(
            self.listener.was_told(),
            [
                ("Join", "alice", 0),
                ("Message", "alice", 1),
                ("Action", "alice", 2),
                ("Topic", "alice", 3),
                ("Rename", "alice", 4),
                ("Away", "al", 0),
                ("Leave", "al", 0),
            ],
        )
        said, leave = self.listener.told[1][0], self.listener.told[-1][0]
        assert isinstance(said, events.Message)
        assert isinstance(leave, events.Leave)
        self.assertEqual((said.room, said.text, leave.reason), ("#lobby", "hello", "bye"))

    def test_they_are_asked_before_anything_happens_whatever_way_somebody_came(self) -> None:
        self.joins("alice").types("hello", "/join dev", "/whisper bob x", "/nick al", "/away")
        bob = self.program("bob").asks(do="say", text="hi")
        bob.asks(do="command", text="/whisper al psst")
        self.assertEqual(
            self.listener.was_asked(),
            [
                ("Join", "#lobby", "alice"),
                ("Message", "#lobby", "alice"),
                ("Join", "#dev", "alice"),
                ("Rename", "@", "alice"),
                ("Away", "@", "al"),
                ("Join", "#lobby", "bob"),
                ("Message", "#lobby", "bob"),
                ("Whisper", "@", "bob"),
            ],
        )

    def test_they_are_not_told_what_is_whispered(self) -> None:
        self.joins("bob")
        self.joins("alice").types("/whisper bob psst")
        self.assertEqual([kind for kind, *_ in self.listener.was_told()], ["Join", "Join"])


class RefusingTests(ObserverTestCase):
    observers = (Strict(),)

    def test_who_is_refused_reads_why_and_nobody_sees_anything(self) -> None:
        alice, bob = self.joins("alice"), self.joins("bob")
        alice.sees()
        for line in (
            *("buy spam", "/me sells spam", "/topic spam", "/whisper bob spam"),
            *("/nick spam", "/join spam", "/away spam", "@bob spam"),
        ):
            alice.types(line)
            self.assertEqual(alice.sees()[-1], "!!! No advertising here: ask the landlord.", line)
        bob.types("/rooms", "/users")
        self.assertEqual(bob.sees(), ["*** #lobby: 2 people", "*** In #lobby: alice, bob (2)"])

    def test_who_may_not_come_in_is_asked_for_another_nickname(self) -> None:
        nobody = self.connects().types("spam")
        self.assertEqual(
            nobody.sees()[1:],
            ["!!! No advertising here: ask the landlord.", "What is your nickname?"],
        )

    def test_a_program_gets_the_code(self) -> None:
        program = self.program("ci").asks(do="say", text="spam", ref="r-1")
        (error,) = program.gets("error")
        self.assertEqual((error["code"], error["ref"]), ("no-spam", "r-1"))


class FailingTests(ObserverTestCase):
    def setUp(self) -> None:
        self.listener = Listener()
        self.observers = (Broken(), self.listener)
        super().setUp()

    def test_one_that_fails_harms_neither_the_chat_nor_the_others(self) -> None:
        alice, bob = self.joins("alice"), self.joins("bob")
        bob.types("hello")
        self.assertEqual(alice.sees()[-1], "bob: hello")
        self.assertEqual(self.listener.was_told()[-1], ("Message", "bob", 1))
        self.assertEqual(len(self.listener.asked), 3)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 6)
