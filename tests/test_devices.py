"""Devices of an account over structured lines: tokens that last, and what each of them reads."""

from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.cred.checkers import InMemoryUsernamePasswordDatabaseDontUse
from twisted.logger import capturedLogs, formatEvent

from tests.disk import Disk, DiskTestCase
from tests.people import AccountsTestCase, Person, Program
from twisted_chat import ChatFactory, Limits, Pace, Refused
from twisted_chat.chat.passwords import Hasher, OwnPasswords
from twisted_chat.chat.portal import portal_for
from twisted_chat.text.passwords import Password

SECRET = "correct horse"
DAY = 86400.0


class _DeviceTestCase(AccountsTestCase):
    limits = Limits(pace=None)

    def setUp(self) -> None:
        """Alice has registered, and is here with a program."""
        super().setUp()
        self.alice = self.program("alice").asks(do="command", text=f"/register {SECRET}")
        self.alice.gets()

    def device(self, **hello: Any) -> Program:
        """Another device of alice's."""
        return self.program("alice", password=SECRET, **hello)


class TokenTests(_DeviceTestCase):
    def token(self, device: Program) -> str:
        (welcome,) = device.gets("welcome")
        return str(welcome["session"])

    def test_each_device_resumes_its_own_session(self) -> None:
        one, two = self.device(), self.device()
        tokens = [self.token(one), self.token(two)]
        self.assertNotEqual(*tokens)
        one.vanishes()
        self.alice.asks(do="say", text="hello")
        back = self.program("alice", session=tokens[0], seen={"#lobby": 0})
        self.assertTrue(back.gets("welcome")[0]["resumed"])
        self.assertFalse(two.is_gone)
        self.assertTrue(self.program("alice", session=tokens[1]).gets("welcome")[0]["resumed"])
        self.assertTrue(two.is_gone)

    def test_one_that_is_remembered_comes_back_after_months_without_the_password(self) -> None:
        token = self.token(self.device(remember=True))
        self.alice.asks(do="command", text="/logout")
        bob = self.joins("bob")
        device = self.program("alice", session=token)
        device.vanishes()
        bob.raw()
        self.clock.advance(301)
        self.assertEqual(bob.sees(), ["*** alice has left #lobby (connection lost)"])
        self.clock.advance(80 * DAY)
        back = self.program("alice", session=token)
        (welcome,) = back.gets("welcome")
        self.assertEqual((welcome["nick"], welcome["session"]), ("alice", token))
        self.assertEqual(bob.sees(), ["*** alice has joined #lobby"])
        back.vanishes()
        self.clock.advance(301)
        self.factory.chat.accounts.name_expiry = None
        self.clock.advance(91 * DAY)
        (refused,) = self.program("alice", session=token).gets("error")
        self.assertEqual(refused["code"], "registered-nick")

    def test_what_was_said_while_it_was_away_comes_once(self) -> None:
        device = self.device(remember=True)
        token = self.token(device)
        device.vanishes()
        self.clock.advance(301)
        bob = self.joins("bob")
        bob.types("one", "two", "/whisper alice psst")
        seen = {"#lobby": 1, "@": 0}
        things = self.program("alice", session=token, seen=seen).gets("message", "whisper")
        self.assertEqual([thing["text"] for thing in things], ["psst", "two"])

    def test_what_was_whispered_to_one_that_did_not_read_it_comes_on_the_next(self) -> None:
        bob = self.program("bob").asks(do="command", text="/whisper alice one")
        self.alice.stops_reading()
        bob.asks(do="command", text="/whisper alice two")
        self.alice.vanishes()
        (told,) = self.device().gets("whisper")
        self.assertEqual(told["text"], "two")

    def test_others_do_not_last(self) -> None:
        token = self.token(self.device())
        self.clock.advance(1)
        self.alice.asks(do="command", text="/quit")
        device = self.program("alice", session=token)
        device.vanishes()
        self.clock.advance(301)
        self.assertEqual(self.program("alice", session=token).gets("welcome"), [])

    def test_who_leaves_stays_logged_in_and_who_logs_out_does_not(self) -> None:
        for farewell, codes in (("/quit", []), ("/logout", ["registered-nick"])):
            device = self.device(remember=True)
            token = self.token(device)
            device.asks(do="command", text=farewell)
            errors = self.program("alice", session=token).gets("error")
            self.assertEqual([error["code"] for error in errors], codes)

    def test_one_that_is_away_is_listed_and_ended(self) -> None:
        device = self.device(remember=True)
        token = self.token(device)
        device.asks(do="command", text="/quit")
        (answer,) = self.alice.asks(do="command", text="/devices").gets("answer")
        self.assertRegex(answer["lines"][1], r"^2\. away, since .*, last from 127.0.0.1, until ")
        self.alice.asks(do="command", text="/devices end 2")
        self.assertEqual(self.program("alice", session=token).gets("welcome"), [])

    def test_all_others_are_ended_at_once_so_that_no_token_lets_in_another(self) -> None:
        one, remembered = self.device(), self.device(remember=True)
        tokens = [self.token(one), self.token(remembered)]
        beside = self.program("alice", beside=tokens[0])
        tokens.append(self.token(beside))
        remembered.asks(do="command", text="/quit")
        self.alice.asks(do="command", text="/devices end all")
        self.assertTrue(one.is_gone and beside.is_gone)
        self.assertFalse(self.alice.is_gone)
        self.assertEqual([each["code"] for each in one.gets("error")], ["logged-out"])
        for token in tokens:
            for hello in ({"session": token}, {"beside": token}):
                self.assertEqual(self.program("alice", **hello).gets("welcome"), [])

    def test_of_too_many_the_one_that_slept_longest_is_forgotten(self) -> None:
        self.factory.chat.limits.devices_per_account = 2
        tokens = []
        for _ in range(3):
            device = self.device(remember=True)
            tokens.append(self.token(device))
            device.asks(do="command", text="/quit")
            self.clock.advance(1)
        self.alice.asks(do="command", text="/quit")
        found = [self.program("alice", session=token).gets("welcome") for token in tokens]
        self.assertEqual([bool(each) for each in found], [False, True, True])

    def test_the_token_of_a_deleted_account_is_worth_nothing(self) -> None:
        tokens = [self.token(self.device(remember=each)) for each in (True, False)]
        self.alice.asks(do="command", text=f"/forget {SECRET}")
        self.alice.asks(do="command", text="/quit")
        for token in tokens:
            self.assertEqual(self.program("", session=token).gets("welcome"), [])


class BesideTests(_DeviceTestCase):
    """Another tab of a browser has the token of the first one, and no password."""

    def token(self, **hello: Any) -> str:
        (welcome,) = self.device(**hello).gets("welcome")
        return str(welcome["session"])

    def test_the_token_of_a_device_lets_in_one_more(self) -> None:
        (first,) = (one := self.device()).gets("welcome")
        (second,) = (two := self.program("alice", beside=first["session"])).gets("welcome")
        self.assertNotEqual(first["session"], second["session"])
        self.assertEqual((second["account"], second["rooms"]), ("alice", ["#lobby"]))
        self.assertFalse(one.is_gone)
        one.asks(do="say", text="hello")
        self.assertEqual([each["text"] for each in two.gets("message")], ["hello"])

    def test_it_catches_up_and_has_the_name_whatever_it_says(self) -> None:
        token = self.token()
        self.alice.asks(do="say", text="one")
        self.alice.asks(do="say", text="two")
        back = self.program("bob", beside=token, session="of-old.x", seen={"#lobby": 1})
        self.assertEqual(back.gets("welcome", "message")[0]["nick"], "alice")
        back = self.program("bob", beside=token, seen={"#lobby": 1})
        self.assertEqual([each["text"] for each in back.gets("message")], ["two"])

    def test_so_does_that_of_one_asleep_which_stays_as_it_is(self) -> None:
        token = self.token(remember=True)
        self.alice.asks(do="command", text="/quit")
        self.clock.advance(400)
        beside = self.program("alice", beside=token)
        self.assertEqual(len(beside.gets("welcome")), 1)
        beside.vanishes()
        self.clock.advance(400)
        (back,) = self.program("alice", session=token).gets("welcome")
        self.assertEqual(back["session"], token)

    def test_tabs_log_out_no_device_that_is_remembered(self) -> None:
        self.factory.chat.limits.devices_per_account = 3
        token = self.token(remember=True)
        self.program("alice", session=token).asks(do="command", text="/quit")
        tabs = [self.program("alice", beside=token) for _ in range(3)]
        self.assertEqual([len(tab.gets("welcome")) for tab in tabs], [1, 1, 0])
        tabs[0].asks(do="command", text="/quit")
        self.assertEqual(len(self.program("alice", session=token).gets("welcome")), 1)

    def test_it_is_not_remembered_itself(self) -> None:
        device = self.program("alice", beside=self.token(remember=True), remember=True)
        (welcome,) = device.gets("welcome")
        device.vanishes()
        self.clock.advance(400)
        again = self.program("alice", session=welcome["session"])
        self.assertEqual([each["code"] for each in again.gets("error")], ["registered-nick"])

    def test_without_an_account_or_one_that_is_locked_it_is_worth_nothing(self) -> None:
        (guest,) = self.program("bob").gets("welcome")
        for beside in (guest["session"], "unknown.token", 7):
            codes = [each["code"] for each in self.program("bob", beside=beside).gets("error")]
            self.assertEqual(codes, ["nick-taken"])
        token = self.token()
        (account,) = self.factory.chat.accounts
        self.factory.chat.accounts.set_locked(account.id, is_locked=True)
        codes = [each["code"] for each in self.program("alice", beside=token).gets("error")]
        self.assertEqual(codes, ["registered-nick"])


class SlowDiskBesideTests(DiskTestCase):
    """A device is logged out while one that came beside it is still being stored."""

    def test_who_shows_its_token_does_not_come_in(self) -> None:
        alice = self.program("alice").asks(do="command", text=f"/register {SECRET}")
        self.the_disk_works()
        stolen = self.program("alice", password=SECRET)
        self.the_disk_works()
        (welcome,) = stolen.gets("welcome")
        thief = self.program("alice", "192.0.2.1", beside=welcome["session"])
        alice.asks(do="command", text="/devices end 2")
        self.the_disk_works()
        self.assertEqual([each["code"] for each in thief.gets("error")], ["registered-nick"])
        alice.gets()
        alice.asks(do="command", text="/devices")
        self.the_disk_works()
        (answer,) = alice.gets("answer")
        self.assertEqual(len(answer["lines"]), 1)


class MarkTests(_DeviceTestCase):
    def test_events_and_members_carry_the_name_of_the_account(self) -> None:
        bob = self.program("bob")
        (state,) = bob.gets("state")
        accounts = {each["nick"]: each.get("account") for each in state["members"]}
        self.assertEqual(accounts, {"alice": "alice", "bob": None})
        self.alice.asks(do="say", text="hi").asks(do="command", text="/nick anna")
        bob.asks(do="say", text="hi")
        said = [(each["from"], each.get("account")) for each in bob.gets("message", "rename")]
        self.assertEqual(said, [("alice", "alice"), ("alice", "alice"), ("bob", None)])

    def test_what_was_said_before_registering_is_by_the_same_person(self) -> None:
        bob = self.program("bob").asks(do="say", text="before")
        bob.asks(do="command", text=f"/register {SECRET}").gets()
        (said,) = bob.asks(do="history", room="#lobby").gets("history")[0]["events"]
        self.assertEqual(said["account"], "bob")


class RushTests(_DeviceTestCase):
    limits = Limits(pace=None, presence=Pace(1, 600))

    def test_who_logs_out_and_in_again_in_a_rush_is_here_to_the_others(self) -> None:
        self.program("bob")
        self.alice.asks(do="command", text="/logout").closes()
        self.device()
        self.time_passes(60)
        carol = self.program("carol")
        (state,) = carol.gets("state")
        (alice,) = [member for member in state["members"] if member["nick"] == "alice"]
        self.assertNotIn("connected", alice)


class PostingTests(_DeviceTestCase):
    def test_a_device_that_only_posts_is_not_told_until_another_comes(self) -> None:
        bob = self.joins("bob")
        self.alice.asks(do="command", text="/quit")
        bob.raw()
        script = self.device(quiet=True)
        self.assertEqual(bob.sees(), [])
        person = self.device()
        self.assertEqual(bob.sees(), ["*** alice has joined #lobby"])
        person.asks(do="command", text="/quit")
        self.assertEqual(bob.sees(), ["*** alice has left #lobby"])
        self.assertEqual(
            bob.types("/users").sees(), ["*** In #lobby: bob, alice* (only posts) (2)"]
        )
        script.asks(do="command", text="/quit")
        self.assertEqual(bob.sees(), [])


class TelnetTests(_DeviceTestCase):
    def test_the_echo_is_off_while_a_password_is_typed(self) -> None:
        person = Person(self.factory)
        person.sends(b"\xff\xfd\x03")  # telnet begins
        person.transport.clear()
        person.sends(b"alice\r\n")
        self.assertEqual(person.transport.value(), b"Password for alice:\r\n\xff\xfb\x01")
        person.transport.clear()
        person.sends(b"\xff\xfd\x01")  # it agrees
        self.assertEqual(person.transport.value(), b"")
        person.sends(SECRET.encode() + b"\r\n")
        self.assertTrue(person.transport.value().startswith(b"\xff\xfc\x01*** Welcome, alice!"))

    def test_a_wrong_one_brings_the_question_again_with_its_echo(self) -> None:
        person = Person(self.factory)
        person.sends(b"\xff\xfd\x03alice\r\nwrong wrong\r\n")
        self.assertTrue(
            person.transport.value().endswith(
                b"\xff\xfc\x01!!! The nickname or the password is wrong: try again.\r\n"
                b"What is your nickname?\r\n"
            )
        )

    def test_netcat_is_sent_no_such_bytes(self) -> None:
        person = self.connects().types("alice")
        self.assertEqual(person.sees()[-1], "Password for alice:")

    def test_no_password_is_an_answer_too(self) -> None:
        for typed, seen in (
            ("", ["!!! That was no password: choose a nickname.", "What is your nickname?"]),
            ("/quit", []),
            ("\x03", []),
        ):
            person = self.connects().types("alice")
            person.raw()
            self.assertEqual(person.types(typed).sees(), seen)

    def test_one_line_answers_both_questions(self) -> None:
        for line in (f"alice {SECRET}", f"/login alice {SECRET}"):
            self.assertIn("*** Welcome, alice!", self.connects().types(line).raw())


class SecretTests(DiskTestCase):
    limits = Limits(pace=None)

    def test_passwords_are_nowhere(self) -> None:
        with capturedLogs() as logs:
            alice = self.joins("alice")
            alice.types("/register hunter22!", "/password hunter22! / hunter23!")
            alice.types("login alice hunter23!", "/login hunter23!", "/forget hunter99!")
            alice.types("/logn alice hunter23!", "/identify hunter23!", "/whisper bob hello")
            self.the_disk_works()
            bob = self.connects().types("alice", "hunter99!", "alice hunter99!", "/history")
            bob.types("alice", "hunter23!")
            self.the_disk_works()
            program = self.program("alice", password="hunter23!")
            program.asks(do="hello", password="hunter23!").asks(do="hello", password=["hunter23!"])
            program.asks(do="say", text="/login hunter23!").asks(do="command", text="/history")
            self.the_disk_works()
        told = [str(formatEvent(event)) + repr(event) for event in logs]
        seen = [alice.raw(), bob.raw(), program.raw()]
        kept = self.path.read_bytes() + self.path.with_name(self.path.name + "-wal").read_bytes()
        for text in (*told, *seen, kept.decode(errors="replace")):
            self.assertNotIn("hunter2", text)
            self.assertNotIn("hunter99", text)


class RestartTests(DiskTestCase):
    limits = Limits(pace=None)

    def setUp(self) -> None:
        """Alice is here with a program and a remembered one that sleeps."""
        super().setUp()
        self.alice = self.program("alice").asks(do="command", text=f"/register {SECRET}")
        self.the_disk_works()
        self.alice.asks(do="command", text="/join #dev", ref="j")
        self.second = self.program("alice", password=SECRET)
        asleep = self.program("alice", password=SECRET, remember=True)
        self.the_disk_works()
        self.tokens = [
            each.gets("welcome")[0]["session"] for each in (self.alice, self.second, asleep)
        ]
        asleep.asks(do="command", text="/quit")
        self.the_disk_works()

    def test_every_device_goes_on_after_the_server_was_killed(self) -> None:
        self.the_server_is_killed()
        welcomes = []
        for token in self.tokens:
            device = self.program("alice", session=token, seen={"#lobby": 0, "#dev": 0, "@": 0})
            self.the_disk_works()
            welcomes += device.gets("welcome")
        self.assertEqual([each["resumed"] for each in welcomes], [True, True, False])
        self.assertEqual({each["account"] for each in welcomes}, {"alice"})
        person = self.factory.chat.people.called("alice")
        assert person is not None
        self.assertEqual(len(person.devices), 3)
        self.assertEqual(set(person.rooms), {"#lobby", "#dev"})

    def test_who_logged_in_to_stay_just_before_the_server_was_killed_stays_logged_in(self) -> None:
        device = self.program("alice", password=SECRET, remember=True)
        self.writing.turns()  # which stores the session, so that they are told of it
        self.writing.is_heard()
        token = device.gets("welcome")[0]["session"]
        self.the_server_is_killed()
        self.program("alice", session=token).asks(do="command", text="/quit")
        self.the_disk_works()
        back = self.program("alice", session=token)
        self.the_disk_works()
        self.assertEqual([each["account"] for each in back.gets("welcome")], ["alice"])

    def test_who_registered_just_before_the_server_was_killed_has_their_account(self) -> None:
        gus = self.program("gus")
        self.the_disk_works()
        gus.asks(do="command", text=f"/register {SECRET}")
        self.writing.turns()  # which stores the account, and not yet that it is this session's
        self.the_server_is_killed()
        token = gus.gets("welcome")[0]["session"]
        back = self.program("gus", session=token)
        another = self.program("gus", password=SECRET)
        self.the_disk_works()
        for device in (back, another):
            (welcome,) = device.gets("welcome")
            self.assertEqual((welcome["nick"], welcome.get("account")), ("gus", "gus"))

    def test_who_logs_in_while_a_whisper_to_the_guest_is_being_stored_is_heard(self) -> None:
        guest, bob = self.program("guest"), self.program("bob")
        self.the_disk_works()
        guest.asks(do="command", text=f"/login alice {SECRET}", ref="l")
        bob.asks(do="command", text="/whisper guest psst")
        self.the_disk_works()
        guest.asks(do="ping", ref="p")
        self.the_disk_works()
        self.assertEqual([each["ref"] for each in guest.gets("answer", "pong")], ["l", "p"])

    def test_the_answer_to_a_whisper_has_the_number_it_has_for_its_sender(self) -> None:
        bob, carol = self.program("bob"), self.program("carol")
        for device in (self.alice, self.second):
            device.asks(do="command", text="/quit")
        self.the_disk_works()
        bob.asks(do="command", text="/whisper alice one")
        self.the_disk_works()
        bob.asks(do="say", text="these are stored together, and alice's log is shown first:")
        bob.asks(do="command", text="/whisper alice two")
        carol.asks(do="command", text="/whisper alice three", ref="w")
        self.the_disk_works()
        told = carol.gets("answer", "whisper")
        self.assertEqual([(each["ref"], each["id"]) for each in told], [("w", 1), ("w", 1)])

    def test_who_logs_in_while_their_other_devices_quit_reads_nothing_again(self) -> None:
        self.program("bob").asks(do="command", text="/whisper alice psst")
        self.the_disk_works()
        third = self.program("alice", password=SECRET)
        self.writing.turns()  # the password is right, and the session is being stored
        for device in (self.alice, self.second):
            device.asks(do="command", text="/quit")
        self.the_disk_works()
        self.assertEqual(third.gets("whisper"), [])

    def test_the_name_of_a_deleted_account_is_gone_from_the_database(self) -> None:
        self.factory.chat.erases_on_forget = True
        self.alice.asks(do="say", text="hello", room="#lobby")
        self.alice.asks(do="command", text=f"/forget {SECRET}")
        self.the_disk_works()
        self.the_server_is_killed()
        bob = self.program("bob")
        self.the_disk_works()
        self.assertEqual(
            [(each["from"], each["text"]) for each in bob.gets("message")], [("(deleted)", "hello")]
        )

    def test_nobody_else_has_the_name_meanwhile(self) -> None:
        self.the_server_is_killed()
        (refused,) = self.program("alice").gets("error")
        self.assertEqual(refused["code"], "registered-nick")

    def test_an_account_that_was_locked_meanwhile_is_not_there(self) -> None:
        accounts = self.factory.chat.accounts
        account = accounts.called("alice")
        assert account is not None
        accounts.set_locked(account.id, is_locked=True)
        self.the_disk_works()
        self.the_server_is_killed()
        self.assertIsNone(self.factory.chat.people.called("alice"))
        self.assertEqual(self.program("alice", session=self.tokens[0]).gets("welcome"), [])

    def test_one_that_logged_out_beside_another_does_not_come_back_by_that(self) -> None:
        self.alice.asks(do="command", text="/join #tea", ref="t")
        self.the_disk_works()
        self.second.asks(do="command", text="/logout", ref="l")
        self.the_disk_works()
        self.the_server_is_killed()
        self.assertEqual(self.program("alice", session=self.tokens[1]).gets("welcome"), [])

    def test_what_was_read_is_not_new_to_who_quits_and_is_back_before_that_is_stored(self) -> None:
        bob = self.program("bob")
        bob.asks(do="command", text="/whisper alice psst")
        self.the_disk_works()
        self.second.asks(do="command", text="/logout")
        self.the_disk_works()
        self.assertEqual(len(self.alice.gets("whisper")), 1)
        self.alice.asks(do="command", text="/quit")
        back = self.program("alice", password=SECRET)
        self.the_disk_works()
        self.assertEqual(back.gets("whisper"), [])

    def test_a_room_that_was_left_on_one_device_is_left_on_all(self) -> None:
        self.second.asks(do="command", text="/leave #dev", ref="l")
        self.the_disk_works()
        self.the_server_is_killed()
        person = self.factory.chat.people.called("alice")
        assert person is not None
        self.assertEqual(list(person.rooms), ["#lobby"])


ACTS = (
    *("comes", "goes", "vanishes", "resumes", "says", "whispers", "reads"),
    *("joins", "leaves", "stops"),
)


class EveryEventOnceTests(AccountsTestCase):
    limits = Limits(pace=None, presence_per_person=replace(Limits.presence_per_person, lines=999))

    @settings(max_examples=60, deadline=None)
    @given(st.lists(st.tuples(st.sampled_from(ACTS), st.integers(0, 3)), max_size=40))
    def test_whatever_devices_do_each_event_is_on_each_once_in_order(
        self, script: list[tuple[str, int]]
    ) -> None:
        self.setUp()
        bob = self.program("bob")
        first = self.program("alice").asks(do="command", text=f"/register {SECRET}")
        first.asks(do="command", text="/quit")
        devices: list[Program | None] = [None] * 4
        tokens = [""] * 4
        seen: list[dict[str, int]] = [{} for _ in devices]
        said: dict[tuple[str, int], str] = {}

        def looks(number: int) -> None:
            device = devices[number]
            for thing in device.gets() if device else ():
                if thing["event"] == "welcome":
                    tokens[number] = thing["session"]
                if "id" in thing and "from" in thing:
                    last = seen[number].get(thing["room"])
                    if last is not None:
                        self.assertEqual(thing["id"], last + 1, f"device {number}: {thing}")
                    seen[number][thing["room"]] = thing["id"]
                    told = f"{thing['from']}: {thing.get('text', '')}"
                    self.assertEqual(said.setdefault((thing["room"], thing["id"]), told), told)

        for count, (act, number) in enumerate(script):
            device = devices[number]
            if act == "comes" and device is None:
                seen[number] = {}
                devices[number] = self.program("alice", password=SECRET, remember=number % 2 == 0)
            elif act == "resumes" and device is None and tokens[number]:
                devices[number] = self.program(
                    "alice", session=tokens[number], password=SECRET, seen=dict(seen[number])
                )
            elif act == "whispers":
                bob.asks(do="command", text=f"/whisper alice {count}")
            elif device is None:
                bob.asks(do="say", text=f"bob {count}")
            elif act == "goes":
                looks(number)
                device.asks(do="command", text="/quit")
                looks(number)
                devices[number] = None
            elif act == "vanishes":
                device.vanishes()
                looks(number)
                devices[number] = None
                if count % 3 == 0:
                    self.clock.advance(301)
            elif act == "says":
                device.asks(do="say", text=f"alice {count}", room="#lobby", ref=f"r{count}")
            elif act == "reads":
                for room, last in seen[number].items():
                    device.asks(do="read", room=room, id=last - count % 3 if last > 2 else last)
            elif act == "joins":
                device.asks(do="command", text="/join dev")
            elif act == "leaves":
                device.asks(do="command", text="/nick anna" if count % 2 else "/nick alice")
            elif act == "stops":
                device.stops_reading()
                bob.asks(do="say", text=f"unread {count}")
                device.reads_again()
            for each in range(4):
                looks(each)
        self.clock.advance(0)
        lobby = self.factory.chat.lobby.log.last
        for number, device in enumerate(devices):
            looks(number)
            if device is not None and "#lobby" in seen[number]:
                self.assertEqual(seen[number]["#lobby"], lobby, f"device {number}")


class LeavingTests(_DeviceTestCase):
    def test_a_device_that_reads_late_sees_a_room_left_before_it_is_entered_again(self) -> None:
        late = self.device()
        self.alice.asks(do="command", text="/join #dev").asks(do="say", text="tea?")
        late.gets()
        late.stops_reading()
        for text in ("/leave #dev", "/join #dev"):
            self.alice.asks(do="command", text=text)
        late.reads_again()
        seen = [each["event"] for each in late.gets() if each.get("room") == "#dev"]
        self.assertEqual(seen, ["leave", "role", "message", "join", "state"])


class GuessingTests(AccountsTestCase):
    """Passwords are checked by a thread that takes its time."""

    def setUp(self) -> None:
        super().setUp()
        self.thread = Disk()
        self.accounts = self.factory.chat.accounts
        self.accounts._authenticator = OwnPasswords(Hasher(memory=8), self.thread)
        self.alice, self.bob = self.joins("alice"), self.joins("bob")
        self.alice.types(f"/register {SECRET}")
        self.the_thread_works()
        self.alice.raw()
        self.bob.raw()

    def the_thread_works(self) -> None:
        while self.thread.is_busy:
            self.thread.turns()
            self.thread.is_heard()
        self.clock.advance(0)

    def test_a_thousand_guesses_delay_nobodys_line(self) -> None:
        guessers = [
            self.program(
                "alice", f"10.1.{number // 250}.{number % 250}", password=f"guess {number}"
            )
            for number in range(1000)
        ]
        codes = [error["code"] for each in guessers for error in each.gets("error")]
        self.assertGreater(codes.count("too-fast"), 900)
        self.alice.types("hello")
        self.assertEqual(self.bob.sees(), ["alice: hello"], "although nothing is checked yet")
        self.the_thread_works()
        codes += [error["code"] for each in guessers for error in each.gets("error")]
        self.assertEqual(len(codes), 1000)
        self.assertEqual(set(codes), {"bad-password", "too-fast"})
        self.assertIsNotNone(self.accounts.called("alice"))

    def test_all_who_log_in_at_once_are_one_person(self) -> None:
        self.alice.types("/quit")
        self.bob.raw()
        devices = [self.program("alice", password=SECRET) for _ in range(5)]
        self.the_thread_works()
        self.assertEqual([len(each.gets("welcome")) for each in devices], [1] * 5)
        self.assertEqual(self.bob.sees(), ["*** alice has joined #lobby"])

    def test_who_is_gone_when_the_answer_comes_is_not_there(self) -> None:
        self.alice.types("/quit")
        self.bob.raw()
        devices = [self.program("alice", password=SECRET) for _ in range(2)]
        for device in devices:
            device.vanishes()
        guest = self.joins("guest")
        guest.types(f"/login alice {SECRET}")
        guest.closes()
        self.the_thread_works()
        self.clock.advance(301)
        self.assertEqual(self.bob.types("/users").sees()[-1], "*** In #lobby: bob (1)")

    def test_of_ten_who_register_at_once_with_names_that_look_alike_one_does(self) -> None:
        guests = [self.joins(f"g{number}") for number in range(10)]
        asked = [
            self.accounts.register(name, Password(SECRET), f"id-{number}", "10.2.0.1")
            for number, name in enumerate(["zoe", "Zoe", "ZOE", "zoE", "ZoE"] * 2)
        ]
        self.the_thread_works()
        made = [each.addErrback(lambda why: why.trap(Refused)) for each in asked]
        found = [self.successResultOf(each) for each in made]
        self.assertEqual([each is Refused for each in found], [False] + [True] * 9)
        self.assertEqual(len(guests), 10)


class SiteTests(AccountsTestCase):
    """A site knows who may log in."""

    def setUp(self) -> None:
        super().setUp()
        checker = InMemoryUsernamePasswordDatabaseDontUse(alice=b"site secret")
        self.factory = ChatFactory(self.clock, portal=portal_for(checker))

    def test_who_is_known_there_logs_in_on_one_line_and_is_marked(self) -> None:
        bob = self.joins("bob")
        self.assertIn("*** Welcome, alice!", self.connects().types("alice site secret").raw())
        bob.raw()
        self.assertEqual(bob.types("/users").sees(), ["*** In #lobby: bob, alice* (2)"])

    def test_a_guest_who_came_first_under_that_name_has_to_go(self) -> None:
        guest = self.joins("alice")
        (welcome,) = self.program("alice", password="site secret").gets("welcome")
        self.assertEqual(welcome["nick"], "alice")
        self.assertIn("its owner has logged in", guest.raw())
        self.assertTrue(guest.is_gone)

    def test_a_name_that_is_kept_for_an_administrator_is_theirs(self) -> None:
        self.factory.chat.administrators.use(["alice"])
        for nickname in ("alice", "a1ice"):
            told = self.connects().types(nickname).raw()
            self.assertIn("is kept for an administrator", told)
        alice = self.connects().types("alice site secret")
        alice.raw()
        self.assertIn("The lockdown is off.", alice.types("/lockdown").raw())

    def test_nobody_registers_here(self) -> None:
        bob = self.joins("bob")
        self.assertEqual(
            bob.types("/register long enough").sees(),
            ["!!! Names and passwords of this server are given by its operator: ask there."],
        )


class RoleTests(AccountsTestCase):
    """Roles in rooms are those of accounts, whenever these are made and deleted."""

    limits = Limits(pace=None, invites=2)

    def setUp(self) -> None:
        """Alice owns #dev, and dan is a guest there."""
        super().setUp()
        self.alice, self.dan = self.joins("alice"), self.joins("dan")
        self.alice.types(f"/register {SECRET}", "/join dev")
        self.dan.types("/join dev")

    def settings(self) -> str:
        self.alice.types("/voice eve").raw()
        return "\n".join(self.alice.types("/settings").sees())

    def test_who_registers_after_getting_a_role_has_it_when_they_come_back(self) -> None:
        self.alice.types("/op dan")
        self.dan.types(f"/register {SECRET}", "/quit")
        self.joins("eve").types("/join dev")
        self.assertIn("Operators of #dev: dan", self.settings())

    def test_who_deletes_their_account_has_none_once_they_are_gone(self) -> None:
        self.dan.types(f"/register {SECRET}")
        self.alice.types("/own dan")
        self.dan.types(f"/forget {SECRET}", "/quit")
        self.joins("eve").types("/join dev")
        self.assertNotIn("dan", self.settings())

    def test_who_deletes_their_account_has_no_role_from_then_on(self) -> None:
        self.dan.types(f"/register {SECRET}")
        self.alice.types("/own dan", "/deop alice").raw()
        self.dan.types("/join tea", "/leave", f"/forget {SECRET}").raw()
        self.assertIn("dan made dan an ordinary member of #dev", self.alice.raw())
        for room in ("dev", "tea"):
            told = self.dan.types(f"/join {room}", "/op alice").raw()
            self.assertIn(f"/op is for owners of #{room}, which has none", told)

    def test_a_room_that_was_closed_meanwhile_has_no_owner_either(self) -> None:
        self.dan.types(f"/register {SECRET}", "/join tea", "/lock", "/leave")
        limits, self.factory.chat.limits.rooms = self.factory.chat.limits.rooms, 3
        self.joins("eve").types("/join cake", "/join pie")
        self.assertNotIn("#tea", self.factory.chat.rooms)
        self.factory.chat.limits.rooms = limits
        self.dan.types(f"/forget {SECRET}").raw()
        self.assertIn("#tea is locked: ask an administrator", self.dan.types("/join tea").raw())

    def test_the_last_owner_is_the_last_whose_account_there_is(self) -> None:
        self.dan.types(f"/register {SECRET}")
        self.alice.types("/own dan")
        chat = self.factory.chat
        dan = chat.people.find("dan").account
        self.dan.types("/quit")
        self.successResultOf(chat.accounts.delete(dan))
        self.assertIn("You are the only owner of #dev", self.alice.types("/deop alice").raw())

    def test_invitations_of_guests_who_are_gone_make_place_for_others(self) -> None:
        self.alice.types("/lock")
        for number in range(5):
            guest = self.joins(f"guest-{number}")
            self.alice.types(f"/invite guest-{number}")
            guest.types("/join dev")
            guest.types("/quit")
        self.assertNotIn("the limit", "\n".join(self.alice.sees()))

    def test_who_comes_back_under_another_nickname_gets_none_that_is_banned(self) -> None:
        bot = self.program("bot").asks(do="command", text="/join dev")
        (welcome,) = bot.gets("welcome")
        self.alice.types("/ban spam*")
        bot.vanishes()
        self.joins("bot")
        back = self.program("spammer", session=welcome["session"])
        self.assertEqual(back.gets("welcome")[0]["nick"], "bot_2")


class RenamingTests(DiskTestCase):
    """A new nickname takes its time to be stored."""

    limits = Limits(pace=None)

    def setUp(self) -> None:
        """Alice is here with two devices, and carol reads along."""
        super().setUp()
        self.the_disk_works()
        self.one, self.carol = self.joins("alice"), self.joins("carol")
        self.one.types(f"/register {SECRET}")
        self.the_disk_works()
        self.two = self.connects().types(f"alice {SECRET}")
        self.the_disk_works()
        self.carol.raw()

    def test_what_another_device_does_meanwhile_is_by_the_new_one(self) -> None:
        self.one.types("/nick xavier")
        self.two.types("/nick yvonne", "hello")
        self.the_disk_works()
        self.assertEqual(
            self.carol.sees(),
            [
                "*** alice is now known as xavier",
                "*** xavier is now known as yvonne",
                "yvonne: hello",
            ],
        )

    def test_so_is_what_somebody_says_whom_an_administrator_renames(self) -> None:
        self.factory.chat.administrators.use(["alice"])
        self.one.types("/rename carol caroline")
        self.carol.types("hello")
        self.the_disk_works()
        self.assertIn("caroline: hello", self.one.sees())
