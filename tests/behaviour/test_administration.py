"""Administrators of the server: what they can do, how the others see it, and who cannot."""

from collections.abc import Sequence

from tests.behaviour.case import DiskBehaviour
from tests.behaviour.registered import Registered
from tests.behaviour.seen import Left, Noticed, Refusal, Renamed, Said, Told
from twisted_chat.chat.rights import Right
from twisted_chat.commands.table import COMMANDS
from twisted_chat.refusal import Refused
from twisted_chat.text.passwords import Password

COMMANDS_OF_ADMINISTRATORS = {
    "announce": "/announce tea is ready",
    "stats": "/stats",
    "reload": "/reload",
    "rename": "/rename bob robert",
    "disconnect": "/disconnect bob",
    "shutdown": "/shutdown 10s",
    "audit": "/audit",
    "lockdown": "/lockdown all",
}


class _AdministrationTests(Registered):
    def setUp(self) -> None:
        """Carol is an administrator; alice has an account, bob has none."""
        super().setUp()
        self.carol, self.alice, self.bob = self.come("carol", "alice", "bob")
        self.becomes_administrator(self.carol)
        self.registers(self.alice)
        self.operations = Program()
        for chat in self.chats:
            chat.operations = self.operations

    def nicknames(self) -> list[str]:
        """Who is here."""
        return [person.nickname for person in self.factory.chat.people]

    def audit(self) -> list[str]:
        """What the server's log says that was done, without the times."""
        self.carol.sees()
        shown = self.carol.does("/audit").sees(Told, Noticed)
        return [each.text for each in shown if isinstance(each, Told | Noticed)]


class Program:
    """A program around the chat that notes what it is asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.wrong = ""

    def reload(self) -> Sequence[str]:
        """See `Operations.reload`."""
        if self.wrong:
            raise Refused("bad-options", self.wrong)
        self.asked.append("reload")
        return ["Changed: motd."]

    def stop(self) -> None:
        """See `Operations.stop`."""
        self.asked.append("stop")

    def fail(self) -> None:
        """See `Operations.fail`."""
        self.asked.append("fail")


class RightTests(_AdministrationTests):
    def test_every_command_of_theirs_is_tried_here(self) -> None:
        declared = {each.name for each in COMMANDS if each.right is Right.ADMINISTER}
        self.assertEqual(declared, set(COMMANDS_OF_ADMINISTRATORS))

    def test_nobody_else_can_do_any_of_it_and_they_read_who_can(self) -> None:
        for name, command in COMMANDS_OF_ADMINISTRATORS.items():
            for visitor in (self.alice, self.bob):
                told = f"/{name} is for administrators of the server: carol."
                self.assert_sees(visitor.does(command), Refusal(told))
            self.assert_sees(self.carol)
        self.assertEqual(self.audit(), ["Nobody has done anything yet."])

    def test_nor_ban_anybody_from_the_server(self) -> None:
        self.alice.joins("dev")  # which she owns
        for command in ("/ban --server bob", "/unban --server bob", "/bans --server"):
            (told,) = self.alice.does(command).sees(Refusal)
            self.assertIn("--server is for administrators of the server: carol.", str(told))

    def test_they_can_do_all_of_it(self) -> None:
        for command in COMMANDS_OF_ADMINISTRATORS.values():
            if "bob" in command and "bob" not in self.nicknames():
                self.comes("bob")
            self.assertEqual(self.carol.does(command).sees(Refusal), [], command)
            self.time_passes(1)

    def test_help_shows_it_to_them_alone(self) -> None:
        for visitor, is_shown in ((self.carol, True), (self.alice, False), (self.bob, False)):
            shown = str(visitor.does("/help").sees())
            for name in COMMANDS_OF_ADMINISTRATORS:
                self.assertEqual(f"/{name}" in shown, is_shown, f"{visitor.nickname} {name}")

    def test_no_reason_is_a_command_with_a_password(self) -> None:
        for command in ("announce", "disconnect bob", "kick bob", "mute bob 1h", "ban bob"):
            self.assert_refused(self.carol.does(f"/{command} /login hunter22"), "be a password")
        self.assert_sees(self.bob)

    def test_nobody_bans_an_administrator_who_is_not_here(self) -> None:
        self.alice.joins("dev")  # which she owns
        self.carol.does("/quit")
        self.all_is_done()
        self.alice.sees()
        told = "carol is an administrator of #dev: only somebody above them can do that."
        self.assert_refused(self.alice.does("/ban carol"), told)
        self.becomes_administrator(self.bob)
        self.bob.sees()
        told = "carol is an administrator of this server: only somebody above them can do that."
        self.assert_refused(self.bob.does("/ban --server carol"), told)

    def test_a_locked_account_administers_nothing(self) -> None:
        chat = self.factory.chat
        account = chat.accounts.called("carol")
        assert account is not None
        self.successResultOf(chat.accounts.set_locked(account.id, is_locked=True))
        told = "/stats is for administrators of the server, which has none: ask whoever runs it."
        self.assert_refused(self.carol.does("/stats"), told)

    def test_whom_the_configuration_names_is_one_as_long_as_it_does(self) -> None:
        self.factory.chat.administrators.use(["ALICE"])
        self.assertEqual(self.alice.does("/lockdown").sees(Refusal), [])
        self.factory.chat.administrators.use([])
        self.assert_refused(self.alice.does("/lockdown"), "is for administrators")

    def test_nobody_becomes_one_by_registering_a_name_first(self) -> None:
        self.factory.chat.administrators.use(["bob"])
        self.assert_refused(self.bob.does("/lockdown"), "is for administrators")
        person = self.factory.chat.people.find("bob")
        registered = self.factory.chat.accounts.register(
            "bob", Password("correct horse"), person.id, "192.0.2.1"
        )
        self.assertEqual(self.failureResultOf(registered, Refused).value.code, "registered-nick")

    def test_nobody_is_called_like_one_who_has_not_registered_yet(self) -> None:
        self.factory.chat.administrators.use(["Boss", "alice"])
        for nickname, told in (
            ("boss", "is kept for an administrator: choose another one, or have whoever runs"),
            ("b0ss", "looks like Boss, which is kept for an administrator"),
        ):
            self.assertIn(told, str(self.connects().answers(nickname).sees(Refusal)))
            self.assert_refused(self.bob.does(f"/nick {nickname}"), told)
        self.look_away(self.alice)
        self.assertEqual(self.alice.does("/nick ally", "/nick alice").sees(Refusal), [])


class AnnouncementTests(_AdministrationTests):
    def test_everybody_reads_it_once_in_whatever_rooms_they_are(self) -> None:
        self.alice.joins("dev", "tea")
        self.look_away(self.alice, self.bob, self.carol)
        self.carol.does("/announce tea is ready")
        for visitor in (self.alice, self.bob, self.carol):
            read = visitor.sees(Noticed)
            self.assertEqual(read, [Noticed("Announcement by carol: tea is ready")])

    def test_it_is_in_the_servers_log(self) -> None:
        self.carol.does("/announce tea is ready").sees()
        self.assertEqual(self.audit(), ["carol announced: tea is ready"])


class RenameTests(_AdministrationTests):
    def test_everybody_reads_the_new_name(self) -> None:
        self.carol.does("/rename bob robert")
        for visitor in (self.alice, self.bob):
            self.assertEqual(visitor.sees(Renamed), [Renamed("bob", "robert")])
        self.assertIn(Told("bob is called robert now."), self.carol.sees())
        self.bob.says("hello")
        self.assertEqual(self.alice.sees(Said), [Said("robert", "hello")])
        self.assertEqual(self.audit(), ["carol renamed bob to robert"])

    def test_not_to_a_name_that_somebody_has(self) -> None:
        self.assert_refused(
            self.carol.does("/rename bob alice"), "The nickname alice is registered"
        )
        self.assertEqual(self.audit(), ["Nobody has done anything yet."])

    def test_not_themselves_nor_another_administrator(self) -> None:
        self.assert_refused(self.carol.does("/rename carol cora"), "choose somebody else")
        self.factory.chat.administrators.use(["alice"])
        for command in ("/rename alice alicia", "/disconnect alice", "/ban --server alice"):
            self.assert_refused(self.carol.does(command), "administrator")


class DisconnectTests(_AdministrationTests):
    def test_they_read_by_whom_and_why_and_are_gone(self) -> None:
        self.carol.does("/disconnect bob too loud")
        told = Refusal("You were disconnected by carol: too loud.")
        self.assertEqual(self.bob.sees(Refusal), [told])
        self.assertTrue(self.bob.is_gone)
        self.assert_sees(self.alice, Left("bob", "disconnected by carol"))
        self.assertEqual(self.audit(), ["carol disconnected bob: too loud"])

    def test_they_can_come_again(self) -> None:
        self.carol.does("/disconnect bob")
        self.comes("bob").says("hello")
        self.assertEqual(self.alice.sees(Said), [Said("bob", "hello")])


class LockdownTests(_AdministrationTests):
    def test_nobody_new_comes_in_while_those_who_are_here_go_on(self) -> None:
        self.carol.does("/lockdown new").sees()
        dave = self.connects().answers("dave")
        self.assertIn("Only people with an account can come in", str(dave.sees(Refusal)))
        self.bob.says("hello")
        self.assertEqual(self.alice.sees(Said), [Said("bob", "hello")])

    def test_nobody_without_an_account_is_heard(self) -> None:
        self.carol.does("/lockdown all").sees()
        self.look_away(self.alice, self.bob)
        for command in ("/me waves", "/whisper alice psst", "/topic tea", "/nick rude"):
            self.assert_refused(self.bob.does(command), "Only people with an account can speak")
        self.assert_refused(self.bob.says("hello"), "Only people with an account can speak")
        registering = self.bob.does("/register correct horse")
        self.assert_refused(registering, "Only people with an account can speak")
        self.assert_refused(self.bob.joins("rude"), "Only people with an account can speak")
        self.bob.does("/away rude words").sees()
        self.assert_sees(self.alice)
        self.alice.says("quiet here")
        self.assert_sees(self.bob, Said("alice", "quiet here"))

    def test_it_ends(self) -> None:
        self.carol.does("/lockdown all", "/lockdown off").sees()
        self.bob.says("hello")
        self.assertEqual(self.alice.sees(Said), [Said("bob", "hello")])
        self.comes("dave")
        self.assertEqual(
            self.audit(),
            ["carol let nobody without an account come in or speak", "carol ended the lockdown"],
        )

    def test_it_is_shown(self) -> None:
        (told,) = self.carol.does("/lockdown").sees()
        self.assertIn("The lockdown is off.", str(told))
        self.assert_refused(self.carol.does("/lockdown please"), "Usage: /lockdown")


class ServerBanTests(_AdministrationTests):
    def test_who_is_banned_reads_by_whom_and_why_and_does_not_come_in_again(self) -> None:
        self.carol.does("/ban --server bob 1d spam")
        self.clock.advance(0)
        (told,) = self.bob.sees(Refusal)
        self.assertIn("You are banned from this server until ", str(told))
        self.assertIn(" by carol: spam.", str(told))
        self.assertTrue(self.bob.is_gone)
        self.assertEqual(self.alice.sees(), [Left("bob", "banned")])
        again = self.connects("192.0.2.9").answers("bob")
        self.assertIn("You are banned from this server until ", str(again.sees(Refusal)))

    def test_it_ends_by_itself_and_by_unban(self) -> None:
        self.carol.does("/ban --server rude 1m", "/ban --server spam* rubbish").sees()
        self.assertIn("banned", str(self.connects().answers("rude").sees(Refusal)))
        self.assertIn("banned", str(self.connects().answers("spammer").sees(Refusal)))
        self.assert_refused(self.alice.does("/nick spam-alice"), "is banned from this server")
        self.time_passes(61)
        self.comes("rude")
        self.carol.does("/unban --server spam*").sees()
        self.comes("spammer")

    def test_an_address_is_turned_away_at_once_and_never_shown(self) -> None:
        mallory = self.comes("mallory", "203.0.113.7")
        nameless = self.connects("203.0.113.7")
        nameless.sees()
        self.look_away(self.alice)
        self.carol.does("/ban --server 203.0.113.7 spam")
        self.clock.advance(0)
        self.assertTrue(mallory.is_gone)
        self.assertTrue(nameless.is_gone)
        self.assertIn("spam", str(mallory.sees(Refusal)))
        self.assertNotIn("203.0.113", str(self.alice.sees()))
        again = self.connects("203.0.113.7")
        self.assertTrue(again.is_gone)
        self.assertFalse(self.connects("203.0.113.8").is_gone)

    def test_a_network_too_and_people_with_an_account_as_well(self) -> None:
        dave = self.comes("dave", "2001:db8::7")
        self.registers(dave)
        self.carol.does("/ban --server 2001:db8::/32").sees()
        self.clock.advance(0)
        self.assertTrue(dave.is_gone)
        self.assertTrue(self.connects("2001:db8:1::1").is_gone)

    def test_they_are_listed(self) -> None:
        self.carol.does("/ban --server rude rubbish").sees()
        (told,) = self.carol.does("/bans --server").sees()
        self.assertIn("rude was banned", str(told))
        self.assertIn("by carol: rubbish", str(told))
        (told,) = self.carol.does("/bans").sees()
        self.assertIn("Nobody is banned from #lobby", str(told))

    def test_nobody_bans_themselves_or_everybody(self) -> None:
        for whom in ("carol", "c*rol", "*", "c?", "0.0.0.0/0"):
            self.assertEqual(len(self.carol.does(f"/ban --server {whom}").sees(Refusal)), 1, whom)
        self.clock.advance(0)
        self.assertFalse(self.carol.is_gone)


class ShutdownTests(_AdministrationTests):
    def test_everybody_is_told_again_and_again_and_then_it_stops(self) -> None:
        self.carol.does("/shutdown 1m an update")
        self.time_passes(60)
        told = [seen.text for seen in self.alice.sees(Noticed) if isinstance(seen, Noticed)]
        spans = ("1 minute", "30 seconds", "10 seconds", "5 seconds")
        self.assertEqual(told, [f"The server shuts down in {span} (an update)." for span in spans])
        self.assertEqual(self.operations.asked, ["stop"] * len(self.servers))

    def test_without_a_time_it_is_ten_seconds(self) -> None:
        self.carol.does("/shutdown an update")
        self.time_passes(9)
        self.assertEqual(self.operations.asked, [])
        self.time_passes(1)
        self.assertEqual(self.operations.asked, ["stop"] * len(self.servers))

    def test_it_is_cancelled(self) -> None:
        self.carol.does("/shutdown 10s", "/shutdown cancel").sees()
        self.time_passes(60)
        self.assertEqual(self.operations.asked, [])
        self.assertEqual(
            self.alice.sees(Noticed)[-1], Noticed("The server does not shut down after all.")
        )
        self.assert_refused(self.carol.does("/shutdown cancel"), "Nobody has planned a shutdown")

    def test_another_time_is_instead_of_the_first(self) -> None:
        self.carol.does("/shutdown 10s", "/shutdown 1h")
        self.time_passes(60)
        self.assertEqual(self.operations.asked, [])

    def test_not_where_the_chat_is_a_part_of_another_program(self) -> None:
        for chat in self.chats:
            chat.operations = None
        for command in ("/shutdown 5m", "/reload"):
            self.assert_refused(self.carol.does(command), "a part of another program")
        self.assert_sees(self.alice)


class ReloadTests(_AdministrationTests):
    def test_they_read_what_has_changed(self) -> None:
        self.assertEqual(self.carol.does("/reload").sees(), [Told("Changed: motd.")])
        self.assertEqual(self.audit(), ["carol reloaded the options"])

    def test_or_what_is_wrong(self) -> None:
        self.operations.wrong = "Nothing has changed, since --motd is not there."
        self.assert_refused(self.carol.does("/reload"), "Nothing has changed")
        self.assertEqual(self.audit(), ["Nobody has done anything yet."])


class StatsTests(_AdministrationTests):
    def test_they_read_how_it_is(self) -> None:
        self.bob.loses_the_line()
        self.carol.does("/stats")
        self.time_passes(1)
        told = str(self.carol.sees())
        for fact in ("Connections: ", "Registered accounts: 2", "Rooms: 1", "ms late"):
            self.assertIn(fact, told)


class AuditTests(_AdministrationTests):
    def test_what_operators_decide_in_rooms_is_in_it(self) -> None:
        self.carol.does("/join dev").sees()
        self.bob.joins("dev")
        self.carol.does("/kick bob too loud", "/ban bob 1d", "/moderated on").sees()
        acts = self.audit()
        self.assertEqual(acts[0], "carol removed bob from #dev: too loud")
        self.assertTrue(acts[1].startswith("carol banned bob from #dev until 2026-"), acts)
        self.assertEqual(len(acts), 3)

    def test_the_last_are_shown(self) -> None:
        for number in range(5):
            self.carol.does(f"/announce number {number}").sees()
        shown = self.carol.does("/audit 2").sees()
        texts = ["carol announced: number 3", "carol announced: number 4"]
        self.assertEqual(shown, [Noticed(text) for text in texts])
        self.assert_refused(self.carol.does("/audit all"), "Usage: /audit 50")


class DiskTests(DiskBehaviour, Registered):
    def setUp(self) -> None:
        """Carol is an administrator; bob is not."""
        super().setUp()
        self.carol, self.bob = self.come("carol", "bob")
        self.becomes_administrator(self.carol)

    def test_nothing_is_done_before_it_is_in_the_log(self) -> None:
        for command in ("/announce tea", "/disconnect bob", "/ban --server bob", "/lockdown all"):
            self.writing.is_full = True
            self.carol.does(command)
            self.the_disk_works()
            self.assertIn("could not be stored", str(self.carol.sees()), command)
            self.writing.is_full = False
            self.assert_sees(self.bob)
            self.assertFalse(self.bob.is_gone)
        self.bob.says("still here")
        self.the_disk_works()
        self.assert_sees(self.carol, Said("bob", "still here"))

    def test_bans_and_the_lockdown_hold_after_the_server_was_killed(self) -> None:
        self.carol.does("/ban --server rude 1d", "/ban --server 203.0.113.7", "/lockdown new")
        self.the_disk_works()
        self.the_server_is_killed()
        self.the_disk_works()
        self.assertTrue(self.connects("203.0.113.7").is_gone)
        dave = self.connects().answers("dave")
        self.assertIn("Only people with an account", str(dave.sees(Refusal)))
        self.assertEqual(self.factory.chat.server_log.lockdown, "new")

    def test_who_is_banned_when_the_server_is_killed_does_not_resume(self) -> None:
        self.carol.does("/ban --server bob")
        self.clock.advance(0)
        while self.writing.has_work:  # it is stored, and nobody has been told
            self.writing.turns()
        self.the_server_is_killed()
        self.the_disk_works()
        self.assertEqual(
            [each.nickname for each in self.factory.chat.people if each.nickname == "bob"], []
        )

    def test_who_comes_while_a_ban_is_being_stored_does_not_stay(self) -> None:
        self.carol.does("/ban --server dave")
        self.clock.advance(0)
        late = self.connects().answers("dave")
        self.the_disk_works()
        self.clock.advance(0)
        self.the_disk_works()
        self.assertIn("You are banned from this server by carol.", str(late.sees(Refusal)))
        self.assertNotIn("dave", [each.nickname for each in self.factory.chat.people])
        self.carol.does("/unban --server dave")
        self.all_is_done()
        self.comes("dave")

    def test_nothing_of_it_is_forgotten_with_old_messages(self) -> None:
        self.carol.does("/announce one", "/announce two")
        self.bob.says("one", "two")
        self.the_disk_works()
        self.time_passes(1000)
        for _ in range(3):
            self.store.forget(self.clock.seconds())
            self.the_disk_works()
        self.carol.sees()
        self.carol.does("/audit")
        self.the_disk_works()
        self.assertEqual(len(self.carol.sees()), 2)


for _tests in (
    RightTests,
    AnnouncementTests,
    RenameTests,
    DisconnectTests,
    LockdownTests,
    ServerBanTests,
    ShutdownTests,
    ReloadTests,
    StatsTests,
    AuditTests,
    DiskTests,
):
    globals().update(_tests.make_test_case_classes())
