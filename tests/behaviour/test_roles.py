"""Who may do what in a room: every command that needs a role, as each role tries it."""

from tests.behaviour.rooms import OrderBehaviour
from tests.behaviour.seen import Here, Noticed, Refusal, Told
from tests.people import ChatTestCase
from twisted_chat.chat.order import Role
from twisted_chat.commands.table import COMMANDS

GUARDED = {
    each.name: each.right.role
    for each in COMMANDS
    if each.right and Role.MEMBER < each.right.role < Role.ADMINISTRATOR
}
"""Commands that need a role in a room, with the lowest that will do, as they are declared."""

DONE = {
    "op": "/op carol",
    "deop": "/deop carol",
    "voice": "/voice dan",
    "devoice": "/devoice carol",
    "own": "/own carol",
    "kick": "/kick dan",
    "mute": "/mute dan",
    "unmute": "/unmute dan",
    "ban": "/ban dan",
    "unban": "/unban dan",
    "bans": "/bans",
    "invite": "/invite dan",
    "lock": "/lock",
    "unlock": "/unlock",
    "hide": "/hide on",
    "moderated": "/moderated on",
    "slow": "/slow 5",
    "next": "/next",
    "clear": "/clear hands",
    "freeze": "/freeze off",
    "close": "/close enough",
}
"""How each is done."""


class RoleTableTests(OrderBehaviour):
    def setUp(self) -> None:
        super().setUp()
        self.roles = {
            Role.MEMBER: self.dan,
            Role.VOICED: self.carol,
            Role.OPERATOR: self.bob,
            Role.OWNER: self.alice,
        }

    def test_who_lacks_the_role_is_told_who_has_it_and_nothing_changes(self) -> None:
        state = dict(self.factory.chat.rooms["#dev"].state)
        holders = {Role.OPERATOR: "alice, bob", Role.OWNER: "alice"}
        for name, least in GUARDED.items():
            for role, person in self.roles.items():
                if role < least:
                    words = f"/{name} is for {least.word}s of #dev: {holders[least]}."
                    self.assert_is_refused(person, DONE[name], words)
        self.assertEqual(self.factory.chat.rooms["#dev"].state, state)

    def test_who_has_the_role_is_not_kept_from_it(self) -> None:
        for name, least in GUARDED.items():
            for role, person in self.roles.items():
                if role >= least:
                    self.look_away(*self.everybody)
                    self.decides(DONE[name], who=person)
                    refused = [str(each) for each in person.sees(Refusal)]
                    self.assertFalse([each for each in refused if " is for " in each], name)

    def test_help_lists_a_command_for_those_who_may_use_it_somewhere(self) -> None:
        for role, person in self.roles.items():
            self.decides("/join lobby", "/help", who=person)
            listed = {each.text.split()[0] for each in person.sees(Told) if isinstance(each, Told)}
            for name, least in GUARDED.items():
                self.assertEqual(f"/{name}" in {each.rstrip(":") for each in listed}, role >= least)

    def test_the_details_of_a_command_are_for_them_too(self) -> None:
        for name, least in GUARDED.items():
            for role, person in self.roles.items():
                self.look_away(person)
                self.decides(f"/help {name}", who=person)
                if role < least:
                    words = f"/{name} is for {least.word}s of #dev: "
                    self.assert_refused(person, words)
                else:
                    self.assertIn(f"/{name}", str(person.sees(Told)[0]))


class RoleTests(OrderBehaviour):
    def test_roles_stand_behind_names_in_brackets(self) -> None:
        self.assert_sees(
            self.dan.does("/users"),
            Here(("alice (owner)", "bob (operator)", "carol (voiced)", "dan"), "#dev"),
        )

    def test_the_first_to_make_a_room_with_an_account_owns_it(self) -> None:
        self.decides("/join tea")
        self.assertIn(Noticed("alice is the owner of #tea"), self.alice.sees())
        self.decides("/join guests", who=self.dan)
        self.decides("/join guests")
        self.assertEqual(self.alice.sees(Noticed), [])
        self.decides("/settings")
        self.assertIn(Told("#guests has no owner, and is open to everybody."), self.alice.sees())

    def test_a_room_without_an_owner_takes_one_by_an_administrator(self) -> None:
        self.decides("/join guests", who=self.dan)
        self.decides("/join guests")
        self.assert_is_refused(
            self.alice,
            "/own",
            "/own is for owners of #guests, which has none: ask an administrator",
        )
        self.has_account(self.bob, is_admin=True)
        self.decides("/join guests", "/own alice", who=self.bob)
        self.assertIn(Noticed("bob made alice an owner of #guests"), self.alice.sees())

    def test_somebody_without_an_account_owns_nothing(self) -> None:
        self.assert_is_refused(self.alice, "/own dan", "dan has no account")

    def test_the_lobby_is_the_servers(self) -> None:
        for person in (self.alice, self.bob):
            self.decides("/join lobby", who=person)
            words = "/kick is for operators of #lobby, which has none: ask an administrator"
            self.assert_is_refused(person, "/kick dan", words)
        self.has_account(self.bob, is_admin=True)
        for command in ("/lock", "/hide on", "/close it"):
            self.assert_is_refused(self.bob, command, "#lobby stays open to everybody.")
        self.assert_is_refused(self.bob, "/op carol", "#lobby is the server's")

    def test_nobody_decides_about_those_who_are_not_below_them(self) -> None:
        self.decides("/op carol")
        for command in ("/kick alice", "/mute alice", "/ban alice", "/deop alice", "/voice alice"):
            self.assert_is_refused(self.bob, command, "alice is an owner of #dev")
        for command in ("/kick carol", "/mute carol", "/ban carol", "/deop carol"):
            self.assert_is_refused(self.bob, command, "carol is an operator of #dev")

    def test_nobody_removes_mutes_or_bans_themselves(self) -> None:
        for command in ("/kick bob", "/mute bob", "/ban bob", "/voice bob"):
            self.assert_is_refused(self.bob, command, "You cannot do that to yourself")

    def test_an_operator_can_step_down_and_the_last_owner_cannot(self) -> None:
        self.decides("/deop bob", who=self.bob)
        self.assertIn(Noticed("bob made bob an ordinary member of #dev"), self.dan.sees())
        self.assert_is_refused(self.alice, "/deop alice", "You are the only owner of #dev")
        self.has_account(self.carol)
        self.decides("/own carol", "/deop alice")
        self.look_away(*self.everybody)
        self.assert_sees(
            self.dan.does("/users"), Here(("alice", "bob", "carol (owner)", "dan"), "#dev")
        )

    def test_a_role_follows_to_another_nickname_and_is_not_the_nicknames(self) -> None:
        self.bob.is_called("robert")
        self.all_is_done()
        self.decides("/leave dev", who=self.bob)
        bob = self.comes("bob", "192.0.2.9").joins("dev")
        self.all_is_done()
        self.assert_is_refused(bob, "/kick dan", "/kick is for operators of #dev: alice, robert.")
        self.decides("/join dev", "/kick dan", who=self.bob)
        self.assertIn(Noticed("robert removed dan from #dev"), bob.sees())

    def test_a_name_like_an_owners_is_nobody(self) -> None:
        eve = self.comes("alice_owner", "192.0.2.9").joins("dev")
        self.all_is_done()
        self.assert_is_refused(eve, "/kick dan", "/kick is for operators of #dev")

    def test_what_is_so_already_is_not_done_again(self) -> None:
        for command, words in (
            ("/op bob", "bob is that in #dev already"),
            ("/devoice dan", "dan is not voiced in #dev"),
            ("/unmute dan", "dan is not muted in #dev"),
            ("/unban dan", "dan is not banned from #dev"),
            ("/moderated off", "off in #dev already"),
            ("/unlock", "off in #dev already"),
            ("/invite dan", "dan is in #dev already"),
        ):
            self.assert_is_refused(self.alice, command, words)

    def test_a_room_has_only_so_many_roles(self) -> None:
        self.factory.chat.limits.roles = 3
        self.assert_is_refused(self.alice, "/voice dan", "#dev has 3 people with a role")
        self.decides("/devoice carol", "/voice dan")
        self.assertIn(Noticed("alice gave dan voice in #dev"), self.dan.sees())

    def test_roles_of_those_who_have_left_for_good_take_no_place(self) -> None:
        self.factory.chat.limits.roles = 3
        self.decides("/quit", who=self.bob)
        self.decides("/voice dan")
        self.assertIn(Noticed("alice gave dan voice in #dev"), self.dan.sees())
        roles = [name for name in self.factory.chat.rooms["#dev"].state if "role/" in name]
        self.assertEqual(len(roles), 3)


class DeclarationTests(ChatTestCase):
    def test_the_table_has_every_command_that_needs_a_role_in_a_room(self) -> None:
        needed = {name for name, role in GUARDED.items() if role is not Role.ADMINISTRATOR}
        self.assertEqual(needed, set(DONE))


globals().update(RoleTableTests.make_test_case_classes())
globals().update(RoleTests.make_test_case_classes())
