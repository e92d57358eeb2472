"""Names that are somebody's, and several devices of one person."""

from tests.behaviour.case import Behaviour, DiskBehaviour
from tests.behaviour.seen import (
    Did,
    Here,
    Joined,
    Left,
    Refusal,
    Renamed,
    Said,
    Told,
    TopicSet,
    Welcomed,
    Whispered,
)
from tests.behaviour.visitor import Visitor
from tests.people import AccountsTestCase
from twisted_chat import Limits

SECRET = "correct horse"


class _AccountTests(Behaviour):
    """Alice has an account and is here, and so is bob, who has none."""

    base = AccountsTestCase
    limits = Limits(pace=None)

    def setUp(self) -> None:
        """Everybody has read everything."""
        super().setUp()
        self.alice = self.comes("alice").does(f"/register {SECRET}")
        self.bob = self.comes("bob")
        self.look_away(self.alice, self.bob)
        self.time_passes(60)

    def proves(self, nickname: str = "alice", password: str = SECRET) -> Visitor:
        """Somebody comes with a password."""
        visitor: Visitor = self.connects().proves(nickname, password)
        self.all_is_done()
        return visitor

    def names_expire_after(self, seconds: float | None) -> None:
        """Names that nobody has used for so long are free."""
        for chat in self.chats:
            chat.accounts.name_expiry = seconds

    def another(self) -> Visitor:
        """Another device of alice's, which has shown what stands there."""
        device = self.proves()
        self.look_away(device)
        self.assertEqual(device.nickname, "alice")
        return device


class RegisteringTests(_AccountTests):
    def test_a_registered_name_is_refused_to_everybody_else(self) -> None:
        for wanted in ("alice", "ALICE"):
            self.bob.does(f"/nick {wanted}")
            self.assert_refused(self.bob, "is registered", "log in with its password")
        self.alice.does("/quit")
        self.look_away(self.bob)
        self.bob.does("/nick alice")
        self.assert_refused(self.bob, "is registered")

    def test_what_looks_like_it_is_refused_too_although_its_owner_is_not_here(self) -> None:
        self.alice.does("/quit")
        self.look_away(self.bob)
        self.bob.does("/nick a1ice")
        self.assert_refused(self.bob, "looks like alice, which is registered")

    def test_it_is_marked_wherever_names_are_listed(self) -> None:
        self.bob.does("/users")
        self.assert_sees(self.bob, Here(("alice*", "bob")))
        self.bob.does("/whois alice")
        first, *_, last = self.bob.sees(Told)
        self.assertIn("alice* has been here since", str(first))
        self.assertEqual(last, Told("alice is logged in as alice*."))

    def test_under_another_nickname_there_is_no_mark(self) -> None:
        self.alice.is_called("anna")
        self.look_away(self.bob)
        self.bob.does("/users")
        self.assert_sees(self.bob, Here(("anna", "bob")))
        self.bob.does("/whois anna")
        self.assertIn(Told("anna is logged in as alice*."), self.bob.sees())

    def test_a_password_that_is_too_short_registers_nothing(self) -> None:
        self.bob.does("/register 1234567")
        self.assert_refused(self.bob, "at least 8 characters")
        self.bob.does("/quit")
        self.assertEqual(self.comes("bob").nickname, "bob")

    def test_nobody_registers_twice(self) -> None:
        self.alice.does("/register another secret")
        self.assert_refused(self.alice, "You are registered already, as alice")

    def test_of_ten_who_want_one_name_one_has_it(self) -> None:
        names = [f"guest{number}" for number in range(10)]
        guests = self.come(*names)
        self.look_away(*guests)
        for guest in guests:
            guest.is_called("zoe")
            guest.does("/register correct horse")
        self.look_away(*guests)
        self.assertEqual([each.nickname for each in guests], ["zoe", *names[1:]])
        zoe = self.factory.chat.people.called("zoe")
        account = self.factory.chat.accounts.called("zoe")
        assert zoe is not None and account is not None
        self.assertEqual(zoe.account, account.id)


class LoggingInTests(_AccountTests):
    def test_whoever_knows_the_password_is_alice_also_after_she_left(self) -> None:
        self.alice.does("/quit")
        self.look_away(self.bob)
        again = self.proves()
        self.assertEqual(again.sees()[0], Welcomed("alice"))
        self.assert_sees(self.bob, Joined("alice"))
        again.says("I am back")
        self.assert_sees(self.bob, Said("alice", "I am back"))

    def test_a_wrong_password_is_refused_and_one_may_try_again(self) -> None:
        mallory = self.proves(password="wrong wrong")
        self.assertIn("The nickname or the password is wrong", str(mallory.sees(Refusal)))
        mallory.answers("mallory")
        self.assertIn(Welcomed("mallory"), mallory.sees())
        self.assert_sees(self.bob, Joined("mallory"))

    def test_a_guest_logs_in_and_leaves_as_a_guest(self) -> None:
        self.alice.does("/quit")
        guest = self.comes("guest")
        self.look_away(self.bob)
        guest.does(f"/login alice {SECRET}")
        self.assertIn(Welcomed("alice"), guest.sees())
        self.assert_sees(self.bob, Left("guest"), Joined("alice"))
        guest.says("hello")
        self.assert_sees(self.bob, Said("alice", "hello"))
        self.bob.says("hello")
        self.assert_sees(guest, Said("bob", "hello"))

    def test_a_guest_becomes_a_device_of_somebody_who_is_here(self) -> None:
        guest = self.comes("guest")
        self.alice.joins("dev")
        self.look_away(self.bob, self.alice)
        guest.does(f"/login alice {SECRET}")
        self.look_away(guest)
        self.assert_sees(self.bob, Left("guest"))
        self.alice.says("here")
        self.assert_sees(guest, Said("alice", "here", "#dev"))

    def test_who_types_a_wrong_password_stays_who_they_are(self) -> None:
        self.bob.does("/login alice wrong wrong")
        self.assert_refused(self.bob, "The nickname or the password is wrong")
        self.bob.says("still me")
        self.assert_sees(self.alice, Said("bob", "still me"))

    def test_who_is_logged_in_does_not_log_in_again(self) -> None:
        self.alice.does(f"/login alice {SECRET}")
        self.assert_refused(self.alice, "You are logged in already")

    def test_the_password_is_changed(self) -> None:
        self.alice.does("/password correct horse / battery staple")
        self.assert_sees(self.alice, Told("Your password is changed."))
        self.assertIsInstance(self.proves().sees()[-1], Refusal)
        self.assertIn(Welcomed("alice"), self.proves(password="battery staple").sees())

    def test_two_passwords_without_blanks_need_nothing_between_them(self) -> None:
        self.alice.does("/password correct horse / battery-staple")
        self.look_away(self.alice)
        self.alice.does("/password battery-staple something-else")
        self.assert_sees(self.alice, Told("Your password is changed."))
        self.alice.does("/password one two three")
        self.assert_refused(self.alice, "/password OLD / NEW")

    def test_a_deleted_account_leaves_a_guest(self) -> None:
        self.alice.does("/forget wrong wrong")
        self.assert_refused(self.alice, "is wrong")
        self.alice.does(f"/forget {SECRET}")
        self.assert_sees(self.alice, Told("The account alice is deleted."))
        self.bob.does("/users")
        self.assert_sees(self.bob, Here(("alice", "bob")))
        self.alice.does("/quit")
        self.look_away(self.bob)
        self.bob.is_called("alice")
        self.assertEqual(self.bob.sees(Refusal), [])

    def test_where_names_are_erased_what_they_said_stays(self) -> None:
        for chat in self.chats:
            chat.erases_on_forget = True
        self.alice.says("hello").is_called("anna").says("hello again")
        self.bob.says("hi")
        self.alice.does(f"/forget {SECRET}", "/quit")
        self.bob.does("/quit")
        self.time_passes(60)
        carol: Visitor = self.connects().answers("carol")
        self.assertEqual(
            carol.sees(Said, Renamed),
            [
                Said("(deleted)", "hello"),
                Renamed("(deleted)", "(deleted)"),
                Said("(deleted)", "hello again"),
                Said("bob", "hi"),
            ],
        )

    def test_a_name_stays_its_owners_however_long_they_are_here(self) -> None:
        self.names_expire_after(100.0)
        self.time_passes(101)
        self.bob.does("/nick a1ice")
        self.assert_refused(self.bob, "looks like alice, which is registered")
        self.alice.is_called("anna")
        self.look_away(self.bob)
        self.bob.does("/nick alice")
        self.assert_refused(self.bob, "is registered")

    def test_commands_for_those_who_are_logged_in_tell_others_how(self) -> None:
        for command in ("/logout", "/devices", "/password a b", "/forget 12345678"):
            self.bob.does(command)
            self.assert_refused(self.bob, "You are not logged in: /login NICK PASSWORD")

    def test_a_guest_with_the_name_is_no_obstacle_to_its_owner(self) -> None:
        self.alice.does("/quit")
        self.names_expire_after(100.0)
        self.time_passes(101)
        guest = self.comes("alice")
        self.names_expire_after(None)
        self.look_away(self.bob)
        owner = self.connects()
        owner.proves("alice", SECRET)
        self.assertIn(Welcomed("alice"), owner.sees())
        self.assert_sees(self.bob, Left("alice"), Joined("alice"))
        self.assertTrue(guest.is_gone)
        self.assertIn("its owner has logged in", str(guest.sees()[-1]))

    def test_the_guest_with_the_name_may_be_its_owner(self) -> None:
        self.alice.does("/quit")
        self.names_expire_after(100.0)
        self.time_passes(101)
        guest = self.comes("alice")
        self.look_away(self.bob)
        guest.does(f"/login {SECRET}")
        self.assertIn(Welcomed("alice"), guest.sees())
        self.bob.does("/users")
        self.assertEqual(self.bob.sees(Here), [Here(("bob", "alice*"))])


class DeviceTests(_AccountTests):
    def test_nobody_is_told_of_the_second_device_nor_that_one_of_them_goes(self) -> None:
        another = self.another()
        self.assert_sees(self.bob)
        self.alice.does("/quit")
        self.assert_sees(self.bob)
        another.does("/quit see you")
        self.assert_sees(self.bob, Left("alice", "see you"))

    def test_each_reads_what_the_other_says_once(self) -> None:
        another = self.another()
        self.alice.says("one")
        self.assert_sees(another, Said("alice", "one"))
        self.assert_sees(self.alice)
        another.says("two").does("/me waves")
        self.assert_sees(self.alice, Said("alice", "two"), Did("alice", "waves"))
        self.assert_sees(another, Did("alice", "waves"))
        self.look_away(self.bob)
        self.bob.says("three")
        for device in (self.alice, another):
            self.assert_sees(device, Said("bob", "three"))

    def test_whispers_are_on_both(self) -> None:
        another = self.another()
        self.bob.whispers("alice", "psst")
        self.alice.whispers("bob", "yes?")
        for device in (self.alice, another):
            self.assertEqual(
                device.sees(Whispered),
                [Whispered("bob", "alice", "psst"), Whispered("alice", "bob", "yes?")],
            )

    def test_rooms_nicknames_and_ignored_people_are_those_of_both(self) -> None:
        another = self.another()
        self.alice.joins("dev").does("/ignore bob")
        self.look_away(self.alice, another)
        self.bob.joins("dev").says("can you hear me?")
        self.assertEqual(another.sees(Said), [])
        another.does("/unignore bob")
        self.look_away(self.alice, another, self.bob)
        self.bob.says("and now?")
        for device in (self.alice, another):
            self.assert_sees(device, Said("bob", "and now?", "#dev"))
        another.is_called("anna")
        for visitor in (self.alice, another):
            self.assertIn(Renamed("alice", "anna"), visitor.sees())
        another.does("/leave #dev")
        self.look_away(self.alice, another, self.bob)
        self.bob.says("are you gone?")
        self.assertEqual([*self.alice.sees(), *another.sees()], [])

    def test_what_is_typed_on_one_does_not_go_elsewhere_when_another_leaves_the_room(self) -> None:
        self.alice.joins("dev")
        another = self.another()
        self.alice.does("/leave #dev")
        self.look_away(self.alice, another, self.bob)
        another.says("a secret of #dev")
        self.assert_refused(another, "You are not in #dev any more", "/join #lobby")
        self.assert_sees(self.bob)
        another.does("/join #lobby")
        self.look_away(another)
        another.says("hello")
        self.assert_sees(self.bob, Said("alice", "hello"))

    def test_without_an_account_a_second_connection_is_refused(self) -> None:
        second = self.connects().answers("bob")
        self.assertIn("The nickname bob is taken", str(second.sees(Refusal)))

    def test_one_device_ends_another(self) -> None:
        self.time_passes(60)
        another = self.another()
        another.does("/devices")
        first, second = another.sees()
        self.assertRegex(str(first), r"1\. connected, since .*, from 127\.0\.0\.1")
        self.assertRegex(str(second), r"2\. this one, since")
        another.does("/devices end 1")
        self.assertIn("Device 1 is logged out.", str(another.sees()))
        self.assertTrue(self.alice.is_gone)
        self.assertIn("logged out by another device", str(self.alice.sees()))
        self.assert_sees(self.bob)
        for wrong in ("/devices end 2x", "/devices begin 1", "/devices end -1"):
            another.does(wrong)
            self.assert_refused(another, "Usage: /devices")
        another.does("/devices end 7")
        self.assert_refused(another, "There is no device 7")

    def test_who_logs_out_is_disconnected_with_a_sentence(self) -> None:
        another = self.another()
        another.does("/logout")
        self.assertIn(Told("You are logged out."), another.sees())
        self.assertTrue(another.is_gone)
        self.assert_sees(self.bob)
        self.alice.says("still here")
        self.assert_sees(self.bob, Said("alice", "still here"))

    def test_there_are_so_many_devices_and_no_more(self) -> None:
        self.factory.chat.limits.devices_per_account = 2
        self.another()
        third = self.proves()
        self.assertIn("You are logged in on 2 devices", str(third.sees(Refusal)))


class AbsenceTests(_AccountTests):
    def test_a_whisper_to_a_name_that_is_not_here_is_read_when_back_on_one_device(self) -> None:
        self.alice.does("/quit")
        self.look_away(self.bob)
        self.bob.whispers("alice", "psst")
        self.assert_sees(
            self.bob,
            Told("alice is not here, and will read it when back."),
            Whispered("bob", "alice", "psst"),
        )
        back = self.proves()
        self.assertEqual(back.sees(Whispered), [Whispered("bob", "alice", "psst")])
        self.assertEqual(self.proves().sees(Whispered), [], "once is enough")
        back.does("/quit")
        self.assertEqual(self.proves().sees(Whispered), [])

    def test_a_whisper_to_a_name_finds_its_owner_under_another_nickname(self) -> None:
        self.alice.is_called("anna")
        self.look_away(self.alice, self.bob)
        self.bob.whispers("alice", "psst")
        self.assert_sees(self.alice, Whispered("bob", "anna", "psst"))

    def test_rooms_away_and_ignored_people_are_there_again(self) -> None:
        self.alice.joins("dev").does("/ignore bob", "/away lunch", "/quit")
        self.look_away(self.bob)
        back = self.proves()
        self.assertEqual(
            [here.room for here in back.sees(Here) if isinstance(here, Here)], ["#lobby", "#dev"]
        )
        self.bob.says("hello?")
        self.assertEqual(back.sees(Said), [])
        self.bob.does("/users")
        self.assert_sees(self.bob, Joined("alice"), Here(("bob", "alice* (away: lunch)")))


class PasswordTests(_AccountTests):
    def test_a_slip_is_never_said(self) -> None:
        for slip in (
            "login alice hunter22",
            " register hunter22",
            "\\login alice hunter22",
            ".password a b",
            "IDENTIFY hunter22",
            "/ login alice hunter22",
            "-login hunter22",
            "?login alice hunter22",
            ";login hunter22",
            ",login hunter22",
            "login: hunter22",
            "Password=hunter22",
            "/me /login alice hunter22",
            "/topic /login alice hunter22",
            "/away \\login hunter22",
            "/whisper alice /login alice hunter22",
            "@alice .identify hunter22",
            "/reply /register hunter22",
            "/quit /login hunter22",
        ):
            is_command = slip[0] in "/@"
            self.bob.does(slip) if is_command else self.bob.says(slip)
            seen = self.bob.sees()
            self.assertEqual([type(each) for each in seen], [Refusal], slip)
            self.assertNotIn("hunter22", str(seen))
        self.assert_sees(self.alice)
        for text in ("passwords are a nuisance", "login", "I forgot my password: help"):
            self.bob.says(text)
            self.assert_sees(self.alice, Said("bob", text))
        self.bob.does("/topic Password rules")
        self.assert_sees(self.alice, TopicSet("bob", "Password rules"))

    def test_where_others_can_read_along_that_is_said_once(self) -> None:
        carol = self.connects("192.0.2.9")
        carol.answers("carol")
        self.look_away(carol, self.bob)
        carol.does("/register short", "/register long enough")
        seen = [str(each) for each in carol.sees()]
        warnings = sum("Others on the way can read" in each for each in seen)
        self.assertEqual(warnings, 0 if carol.is_encrypted else 1)
        self.assertIn("The nickname carol is yours", str(seen))

    def test_a_server_may_demand_that_nobody_can(self) -> None:
        for chat in self.chats:
            chat.accounts.needs_privacy = True
        carol = self.connects("192.0.2.9")
        carol.answers("carol")
        self.look_away(carol, self.bob)
        carol.does("/register long enough")
        if not carol.is_encrypted:
            self.assert_refused(carol, "connect with TLS")
        is_registered = self.factory.chat.accounts.called("carol") is not None
        self.assertEqual(is_registered, carol.is_encrypted)
        self.bob.does("/register long enough")
        self.assertEqual(self.bob.sees(Refusal), [])


class RestartTests(DiskBehaviour):
    """Alice has an account, and the server comes to its end."""

    limits = Limits(pace=None)

    def setUp(self) -> None:
        """Everybody has read everything."""
        super().setUp()
        self.alice, self.bob = self.come("alice", "bob")
        self.alice.does(f"/register {SECRET}", "/join dev")
        self.look_away(self.alice, self.bob)

    def comes_back(self) -> Visitor:
        """Alice logs in."""
        visitor: Visitor = self.connects().proves("alice", SECRET)
        self.all_is_done()
        return visitor

    def test_she_is_who_she_was_and_where_she_was(self) -> None:
        for end in (self.the_server_is_killed, self.the_server_is_restarted):
            end()
            back = self.comes_back()
            rooms = [here.room for here in back.sees(Here) if isinstance(here, Here)]
            self.assertEqual(sorted(rooms), ["#dev", "#lobby"])

    def test_what_was_shown_to_her_is_not_shown_again_after_a_crash(self) -> None:
        self.bob.whispers("alice", "one")
        self.all_is_done()
        self.assertEqual(self.alice.sees(Whispered), [Whispered("bob", "alice", "one")])
        self.time_passes(1)
        self.all_is_done()
        self.alice.stops_reading()
        self.bob.whispers("alice", "two")
        self.all_is_done()
        self.time_passes(1)
        self.all_is_done()
        self.the_server_is_killed()
        self.assertEqual(self.comes_back().sees(Whispered), [Whispered("bob", "alice", "two")])
        self.time_passes(1)
        self.all_is_done()
        self.the_server_is_killed()
        self.assertEqual(self.comes_back().sees(Whispered), [])

    def test_what_was_whispered_while_she_was_away_is_still_there(self) -> None:
        self.alice.does("/quit")
        self.all_is_done()
        self.bob.whispers("alice", "one")
        self.all_is_done()
        self.the_server_is_killed()
        eve = self.comes("eve")
        eve.whispers("alice", "two")
        self.all_is_done()
        back = self.comes_back()
        self.assertEqual(
            back.sees(Whispered),
            [Whispered("bob", "alice", "one"), Whispered("eve", "alice", "two")],
        )


globals().update(RegisteringTests.make_test_case_classes())
globals().update(LoggingInTests.make_test_case_classes())
globals().update(DeviceTests.make_test_case_classes())
globals().update(AbsenceTests.make_test_case_classes())
globals().update(PasswordTests.make_test_case_classes())
globals().update(RestartTests.make_test_case_classes())
