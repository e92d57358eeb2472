"""What somebody has read on one device is read on all of them, and when they come back."""

from typing import Any

from tests.disk import DiskTestCase
from tests.people import AccountsTestCase, Person, Program
from twisted_chat import Limits

SECRET = "correct horse"


class _Case(AccountsTestCase):
    limits = Limits(pace=None, entry_history=3)

    def setUp(self) -> None:
        """Alice has registered, and is here with a laptop; bob talks."""
        super().setUp()
        self.laptop = self.program("alice").asks(do="command", text=f"/register {SECRET}")
        self.bob = self.joins("bob")
        self.laptop.gets()

    def device(self, **hello: Any) -> Program:
        """Another device of alice's."""
        return self.program("alice", password=SECRET, **hello)

    def terminal(self) -> Person:
        """Alice with netcat."""
        return self.connects().types(f"alice {SECRET}")

    def read_says(self, device: Program) -> dict[str, int]:
        """What a device is told on coming of how far she has read."""
        (welcome,) = device.gets("welcome")
        return dict(welcome["read"])

    def shown(self, terminal: Person) -> list[str]:
        """What bob has said, as a terminal shows it."""
        return [line for line in terminal.sees() if line.startswith(("bob:", "#dev bob:"))]


class OtherDeviceTests(_Case):
    def test_they_are_told_and_the_one_that_read_is_not(self) -> None:
        phone = self.device()
        phone.gets()
        self.bob.types("one", "two")
        self.laptop.asks(do="read", room="#lobby", id=2)
        self.assertEqual(phone.gets("read"), [{"event": "read", "room": "#lobby", "id": 2}])
        self.assertEqual(self.laptop.gets("read"), [])

    def test_nobody_goes_back_or_reads_what_nobody_has_said(self) -> None:
        phone = self.device()
        self.bob.types("one", "two")
        for last, told in ((2, [2]), (1, []), (2, []), (99, []), (0, [])):
            self.laptop.asks(do="read", room="#lobby", id=last)
            self.assertEqual([each["id"] for each in phone.gets("read")], told)
        self.bob.types("three")
        self.laptop.asks(do="read", room="#lobby", id=99)
        self.assertEqual([each["id"] for each in phone.gets("read")], [3])

    def test_one_that_stands_still_is_told_the_last_of_each_room(self) -> None:
        phone = self.device()
        self.laptop.asks(do="command", text="/join #dev")
        phone.gets()
        phone.stops_reading()
        for number in range(1, 50):
            self.bob.types(f"line {number}")
            self.laptop.asks(do="read", room="#lobby", id=number)
        self.laptop.asks(do="say", room="#dev", text="hello")
        self.laptop.asks(do="read", room="#dev", id=1 + 1)
        phone.reads_again()
        told = {each["room"]: each["id"] for each in phone.gets("read")}
        self.assertEqual(told, {"#lobby": 49, "#dev": 2})

    def test_terminals_show_nothing_of_it(self) -> None:
        terminal = self.terminal()
        self.bob.types("one")
        terminal.raw()
        self.laptop.asks(do="read", room="#lobby", id=1)
        self.assertEqual(terminal.sees(), [])

    def test_others_are_not_told(self) -> None:
        carol = self.program("carol")
        self.bob.types("one")
        self.laptop.asks(do="read", room="#lobby", id=1)
        self.assertEqual(carol.gets("read"), [])

    def test_a_request_is_answered_if_it_has_a_name(self) -> None:
        self.bob.types("one")
        self.laptop.asks(do="read", id=1, ref="r").asks(do="read", id=1)
        answers = self.laptop.gets("answer", "error")
        self.assertEqual(answers, [{"event": "answer", "lines": [], "ref": "r"}])

    def test_what_cannot_be_is_refused(self) -> None:
        self.bob.types("/join #dev")
        for asked, code in (
            ({"room": "#dev", "id": 1}, "not-in-room"),
            ({"room": "#lobby"}, "bad-request"),
            ({"room": "#lobby", "id": "1"}, "bad-request"),
            ({"room": "#lobby", "id": -1}, "bad-request"),
            ({"room": 7, "id": 1}, "bad-room"),
        ):
            (refused,) = self.laptop.asks(do="read", **asked).gets("error")
            self.assertEqual(refused["code"], code, asked)


class ComingTests(_Case):
    def test_a_program_is_told_how_far_she_has_read_on_any_device(self) -> None:
        self.bob.types("one", "two", "three", "/whisper alice psst")
        self.laptop.asks(do="read", room="#lobby", id=2).asks(do="read", room="@", id=1)
        self.assertEqual(self.read_says(self.device()), {"#lobby": 2, "@": 1})

    def test_so_is_one_that_resumes(self) -> None:
        phone = self.device()
        (welcome,) = phone.gets("welcome")
        phone.vanishes()
        self.bob.types("one")
        self.laptop.asks(do="read", room="#lobby", id=1)
        phone = self.program("alice", session=welcome["session"], seen={"#lobby": 0})
        self.assertEqual(self.read_says(phone), {"#lobby": 1})

    def test_nothing_is_read_that_was_said_since_she_entered_a_room(self) -> None:
        self.bob.types("/join #dev", "one", "two")
        self.laptop.asks(do="command", text="/join #dev")
        entered = self.factory.chat.rooms["#dev"].log.last
        self.bob.types("three")
        self.assertEqual(self.read_says(self.device())["#dev"], entered)

    def test_her_account_keeps_it_while_she_is_away(self) -> None:
        self.bob.types("one", "two", "three")
        self.laptop.asks(do="read", room="#lobby", id=2).asks(do="command", text="/quit")
        self.bob.types("four")
        self.assertEqual(self.read_says(self.device()), {"#lobby": 2})

    def test_a_guest_is_told_on_resuming_and_whoever_comes_later_is_not(self) -> None:
        guest = self.program("gus")
        self.bob.types("one", "two")
        (welcome,) = guest.asks(do="read", room="#lobby", id=2).gets("welcome")
        self.assertNotIn("read", welcome)
        guest.vanishes()
        guest = self.program("gus", session=welcome["session"], seen={"#lobby": 2})
        self.assertEqual(self.read_says(guest), {"#lobby": 2})
        guest.asks(do="command", text="/quit")
        self.assertNotIn("read", self.program("gus").gets("welcome")[0])

    def test_unread_whispers_come_to_a_new_device_although_another_has_them(self) -> None:
        self.bob.types(*(f"/whisper alice {number}" for number in range(1, 6)))
        self.assertEqual(self.device().gets("whisper"), [], "nobody said what is read")
        self.laptop.asks(do="read", room="@", id=3)
        texts = [each["text"] for each in self.device().gets("whisper")]
        self.assertEqual(texts, ["4", "5"])
        self.bob.types(*(f"/whisper alice {number}" for number in range(6, 10)))
        texts = [each["text"] for each in self.device().gets("whisper")]
        self.assertEqual(texts, ["7", "8", "9"], "but no more than the last ones")

    def test_a_room_that_she_has_left_is_forgotten(self) -> None:
        person = self.factory.chat.people.called("alice")
        assert person is not None
        self.bob.types(f"/register {SECRET}", "/join #dev")
        for leaves in ("alice", "bob"):
            self.laptop.asks(do="command", text="/join #dev")
            self.bob.types("hello")
            self.laptop.asks(do="read", room="#dev", id=self.factory.chat.rooms["#dev"].log.last)
            self.assertEqual(list(person.marks), ["#dev"])
            if leaves == "alice":
                self.laptop.asks(do="command", text="/leave #dev")
            else:
                self.bob.types("/kick alice")
            self.assertEqual(self.read_says(self.device()), {"#lobby": 0})
            self.assertEqual(person.marks, {})


class TerminalTests(_Case):
    def test_it_begins_after_what_she_has_read(self) -> None:
        self.bob.types("one", "two", "three")
        self.laptop.asks(do="read", room="#lobby", id=2)
        self.assertEqual(self.shown(self.terminal()), ["bob: three"])
        self.laptop.asks(do="read", room="#lobby", id=3)
        self.assertEqual(self.shown(self.terminal()), [])

    def test_it_shows_no_more_than_the_usual_history(self) -> None:
        self.bob.types("one", "two", "three", "four", "five")
        self.laptop.asks(do="read", room="#lobby", id=1)
        self.assertEqual(self.shown(self.terminal()), ["bob: three", "bob: four", "bob: five"])

    def test_it_shows_the_history_of_a_room_that_is_new_to_her(self) -> None:
        self.bob.types("/join #dev", "one", "two")
        terminal = self.terminal()
        terminal.raw()
        terminal.types("/join #dev")
        self.assertEqual(self.shown(terminal), ["#dev bob: one", "#dev bob: two"])

    def test_what_it_has_shown_is_read_when_she_leaves(self) -> None:
        self.laptop.asks(do="command", text="/quit")
        for leaves in ("/quit", ""):
            terminal = self.terminal()
            self.bob.types("one", "/whisper alice psst")
            if leaves:
                terminal.types(leaves)
            else:
                terminal.says_no_more()
            self.bob.types("two")
            self.assertEqual(self.shown(self.terminal()), ["bob: two"])
            self.assertEqual(self.read_says(self.device())["@"], self.bob_whispered)

    @property
    def bob_whispered(self) -> int:
        """The number of his last whisper."""
        person = self.factory.chat.people.called("alice")
        assert person is not None and person.log is not None
        return person.log.last

    def test_her_other_devices_are_told_when_she_leaves_with_it(self) -> None:
        terminal = self.terminal()
        self.bob.types("one")
        terminal.types("/quit")
        told = self.laptop.gets("read")
        self.assertEqual(told, [{"event": "read", "room": "#lobby", "id": 1}])

    def test_what_may_never_have_been_shown_comes_again(self) -> None:
        self.laptop.asks(do="command", text="/quit")
        terminal = self.terminal()
        self.bob.types("one")
        terminal.vanishes()
        self.assertEqual(self.shown(self.terminal()), ["bob: one"])

    def test_a_guest_sees_the_last_lines(self) -> None:
        self.bob.types("one", "two")
        self.assertEqual(self.shown(self.connects().types("gus")), ["bob: one", "bob: two"])


class KeepingTests(DiskTestCase):
    limits = Limits(pace=None, entry_history=3)

    def setUp(self) -> None:
        """Alice has registered, and bob has said three lines that she has not read."""
        super().setUp()
        self.laptop = self.program("alice").asks(do="command", text=f"/register {SECRET}")
        self.bob = self.joins("bob")
        self.the_disk_works()
        self.bob.types("one", "two", "three")
        self.the_disk_works()

    def read_says(self) -> int:
        """How far she has read the lobby, as a device is told that comes."""
        device = self.program("alice", password=SECRET)
        self.the_disk_works()
        (welcome,) = device.gets("welcome")
        return int(welcome["read"]["#lobby"])

    def test_it_is_there_after_the_server_was_killed(self) -> None:
        self.laptop.asks(do="read", room="#lobby", id=2)
        self.time_passes(30)
        self.the_disk_works()
        self.the_server_is_killed()
        self.assertEqual(self.read_says(), 2)

    def test_it_is_there_after_the_server_was_stopped_at_once(self) -> None:
        self.laptop.asks(do="read", room="#lobby", id=2)
        in_a_while = self.clock.seconds() + 30
        self.the_server_is_restarted()
        self.assertNotIn(in_a_while, [call.getTime() for call in self.clock.getDelayedCalls()])
        self.assertEqual(self.read_says(), 2)

    def test_reading_on_is_stored_once_in_a_while(self) -> None:
        for last in (1, 2, 3):
            self.laptop.asks(do="read", room="#lobby", id=last)
        self.assertFalse(self.writing.has_work)
        self.time_passes(30)
        self.the_disk_works()
        self.time_passes(60)
        self.assertFalse(self.writing.has_work, "nothing is new")

    def test_marks_of_other_numbers_keep_nobody_from_reading(self) -> None:
        account = self.factory.chat.accounts.called("alice")
        assert account is not None
        self.laptop.asks(do="command", text="/quit")
        self.the_disk_works()
        strange = {"marks": {"#lobby": 5000, "@": "x", "#dev": -1, "#tea": True}}
        self.factory.chat.accounts.set_settings(account.id, strange)
        self.the_disk_works()
        terminal = self.connects().types(f"alice {SECRET}")
        self.the_disk_works()
        self.assertIn("bob: three", "\n".join(terminal.sees()))
        self.assertEqual(self.read_says(), 3)
        person = self.factory.chat.people.called("alice")
        assert person is not None
        self.assertEqual(person.marks, {"#lobby": 5000})
        device = self.program("alice", password=SECRET)
        self.the_disk_works()
        device.asks(do="read", room="#lobby", id=3)
        self.assertEqual(person.marks, {"#lobby": 3})
