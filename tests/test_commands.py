"""What the slash commands do, and what they answer when they cannot."""

from tests.people import ChatTestCase, Person
from twisted_chat import Limits
from twisted_chat.commands.table import BY_WORD, COMMANDS
from twisted_chat.events import Entry, Message
from twisted_chat.stores.account import Account


class CommandTestCase(ChatTestCase):
    """Alice, bob and carol are in the lobby, and may type as fast as they like."""

    limits = Limits(pace=None)

    def setUp(self) -> None:
        """Everybody has read everything."""
        super().setUp()
        self.alice, self.bob, self.carol = map(self.joins, ("alice", "bob", "carol"))
        self.everybody = (self.alice, self.bob, self.carol)
        for person in self.everybody:
            person.raw()

    def answer(self, person: Person, line: str) -> str:
        """The one line that somebody reads who types this."""
        (answer,) = person.types(line).sees()
        return answer

    def assert_nobody_saw_anything(self) -> None:
        """Nobody has anything to read."""
        self.assertEqual([person.raw() for person in self.everybody], ["", "", ""])


class TableTests(CommandTestCase):
    def test_help_lists_every_command_that_needs_no_role(self) -> None:
        lines = self.alice.types("/help").sees()
        listed = [each for each in COMMANDS if each.right is None or not each.right.role]
        for command in listed:
            self.assertIn(f"*** {command.synopsis}: {command.help}", lines)
        self.assertEqual(len(lines), len(listed) + 1)

    def test_help_says_more_about_each_by_any_of_its_names_to_an_administrator(self) -> None:
        chat = self.factory.chat
        alice = chat.people.find("alice")
        alice.account = alice.id
        chat.accounts._load([Account(alice.id, "alice", "", 0, 0, is_admin=True)])
        for word, command in BY_WORD.items():
            lines = self.alice.types(f"/help {word}").sees()
            self.assertEqual(lines[0], f"*** {command.synopsis}: {command.help}")
            self.assertEqual(self.alice.types(f"/help /{word.upper()}").sees(), lines)
            for alias in command.aliases:
                self.assertIn(f"/{alias}", lines[-1])

    def test_help_about_what_does_not_exist_says_so(self) -> None:
        self.assertIn(
            "!!! There is no command /frobnicate", self.answer(self.alice, "/help frobnicate")
        )
        self.assertIn("did you mean /whisper?", self.answer(self.alice, "/help wisper"))

    def test_a_command_of_other_chats_is_answered_with_what_to_do_here(self) -> None:
        told = "/whisper NICK TEXT sends a private message, and /reply TEXT"
        for line in ("/query bob", "/query"):
            command = line.split()[0]
            answer = self.answer(self.alice, line)
            self.assertTrue(answer.startswith(f"!!! There is no command {command}: {told}"), answer)
        self.assert_nobody_saw_anything()

    def test_the_issue_s_commands_and_aliases_are_there(self) -> None:
        for word in (
            "users who names whisper msg w tell reply r me nick join leave part rooms topic away "
            "back ignore unignore history whois bell time quit help"
        ).split():
            self.assertIn(word, BY_WORD)

    def test_what_a_command_cannot_do_without_is_asked_for(self) -> None:
        for word, command in BY_WORD.items():
            if command.needs:
                wanted = f"!!! Usage: {command.synopsis} ({command.help})"
                for rest in ("", "   ", "\u3000\u200b"):
                    self.assertEqual(self.answer(self.alice, f"/{word} {rest}"), wanted)
        self.assert_nobody_saw_anything()

    def test_upper_case_and_blanks_in_front_make_no_difference(self) -> None:
        for line in ("/USERS", "  /users", "/Users  "):
            self.assertEqual(self.answer(self.alice, line), "*** In #lobby: alice, bob, carol (3)")


class WhisperTests(CommandTestCase):
    def test_a_short_name_is_asked_about_too(self) -> None:
        self.assertEqual(
            self.answer(self.alice, "/whisper bbo psst"),
            "!!! There is nobody called bbo: did you mean bob?",
        )

    def test_who_takes_the_nickname_later_cannot_read_it(self) -> None:
        self.alice.types("@bob the key is under the mat")
        self.bob.vanishes()
        other = self.program("bob", seen={"@": 0}).asks(do="history", room="@", ref="h")
        (page,) = other.gets("whisper", "history")
        self.assertEqual((page["ref"], page["events"]), ("h", []))

    def test_who_has_lost_the_connection_reads_it_when_back(self) -> None:
        program = self.program("bot")
        token = program.gets()[0]["session"]
        program.vanishes()
        self.alice.raw()
        self.alice.types("@bot psst")
        self.assertEqual(
            sorted(self.alice.sees()),
            [
                "*** bot is disconnected, and will see it when they reconnect.",
                "[whisper to bot] psst",
            ],
        )
        back = self.program("bot", session=token, seen={"#lobby": 0, "@": 0})
        self.assertEqual([event["text"] for event in back.gets("whisper")], ["psst"])


class AwayTests(CommandTestCase):
    def test_a_note_puts_nobody_into_a_list(self) -> None:
        self.bob.types("/away brb), Admin, carol (reconnecting), dave (away: x")
        (line,) = self.alice.types("/users").sees()[-1:]
        self.assertEqual((line.count("("), line.count(")")), (2, 2), line)

    def test_a_long_note_is_refused(self) -> None:
        self.assertIn("That note is too long", self.bob.types("/away " + "x" * 401).raw())


class IgnoreTests(CommandTestCase):
    def setUp(self) -> None:
        """Alice ignores bob, who does not know."""
        super().setUp()
        self.bob.types("before")
        self.alice.raw()
        self.ignored = self.answer(self.alice, "/ignore bob")

    def test_who_is_nobody_is_not_ignored_by_that(self) -> None:
        log = self.factory.chat.lobby.log
        log.append(Entry(Message(0.0, "#lobby", "veteran", "of an import")))
        self.carol.types("/ignore nobody-here").raw()
        self.assertIn("of an import", self.carol.types("/history").raw())

    def test_ignoring_somebody_twice_is_no_help_to_them(self) -> None:
        self.bob.types("/nick robert")
        self.alice.types("/ignore bob").raw()
        self.bob.types("hello")
        self.assertEqual(self.alice.raw(), "")

    def test_programs_see_nothing_of_it_either(self) -> None:
        bot = self.program("bot").asks(do="command", text="/ignore bob")
        bot.gets()
        self.bob.types("/topic boo", "/away boo", "boo", "/quit boo")
        bot.asks(do="history")
        self.assertNotIn("boo", str(bot.gets("message", "topic", "away", "leave", "history")))

    def test_who_ignores_a_name_that_nobody_has_is_told_so(self) -> None:
        self.carol.raw()
        self.assertEqual(
            self.carol.types("/ignore bbo", "/ignore zebra").sees(),
            [
                "*** You are ignoring bbo: /unignore bbo ends it.",
                "*** Nobody called bbo is here: did you mean bob?",
                "*** You are ignoring zebra: /unignore zebra ends it.",
                "*** Nobody called zebra is here.",
            ],
        )


class BellTests(CommandTestCase):
    def rings(self, line: str) -> bool:
        """Whether alice's bell rings when bob types this."""
        self.bob.types(line)
        data = self.alice.raw()
        self.assertLessEqual(data.count("\a"), data.count("\a\r\n"))
        return "\a" in data

    def test_it_is_off_until_asked_for(self) -> None:
        self.assertIn("*** The bell is off", self.answer(self.alice, "/bell"))
        for line in ("alice, look", "@alice psst"):
            self.assertFalse(self.rings(line))

    def test_it_rings_for_ones_name_and_for_whispers(self) -> None:
        self.alice.types("/bell name").raw()
        for line in ("alice, look", "is Alice here?", "(ALICE)", "@alice psst"):
            self.assertTrue(self.rings(line), line)
        for line in ("malice", "alicex", "hello", "al ice"):
            self.assertFalse(self.rings(line), line)

    def test_it_rings_for_whispers_alone(self) -> None:
        self.alice.types("/bell whisper").raw()
        self.assertTrue(self.rings("@alice psst"))
        self.assertFalse(self.rings("alice, look"))

    def test_it_rings_for_every_line_but_ones_own(self) -> None:
        self.alice.types("/bell all").raw()
        self.assertTrue(self.rings("hello"))
        self.assertNotIn("\a", self.alice.types("/me waves", "@bob psst").raw())

    def test_it_follows_ones_name(self) -> None:
        self.alice.types("/bell name", "/nick Zoë").raw()
        self.assertTrue(self.rings("zoe\u0308?"))
        self.assertFalse(self.rings("alice?"))

    def test_of_many_who_wait_for_their_name_it_rings_for_who_is_called(self) -> None:
        people = [self.joins(f"p{number}-x", f"10.0.0.{number}") for number in range(100)]
        for person in people:
            person.types("/bell name").raw()
        self.bob.types("\ufdfa" * 650 + " p7-x x")
        self.assertEqual([p for p in people if "\a" in p.raw()], [people[7]])

    def test_it_rings_in_rooms_that_are_entered_later(self) -> None:
        self.alice.types("/bell all", "/join dev").raw()
        self.bob.types("/join dev").raw()
        self.alice.raw()
        self.assertTrue(self.rings("hello"))

    def test_it_is_turned_off_again(self) -> None:
        self.alice.types("/bell all", "/BELL OFF").raw()
        self.assertFalse(self.rings("alice"))

    def test_it_says_when_it_rings(self) -> None:
        self.alice.types("/bell whisper").raw()
        self.assertEqual(self.answer(self.alice, "/bell"), "*** The bell rings for whispers.")

    def test_it_knows_four_words(self) -> None:
        self.assertEqual(
            self.answer(self.alice, "/bell loud"), "!!! Say when: /bell off, name, whisper or all"
        )

    def test_who_types_a_bell_rings_nobodys(self) -> None:
        self.alice.types("/bell all").raw()
        self.bob.types("\a")
        self.assertEqual(self.alice.raw(), "")


class OtherCommandTests(CommandTestCase):
    def test_who_has_said_nothing_is_not_told_to_have_said_something(self) -> None:
        self.assertEqual(
            [line.split(" since")[0] for line in self.alice.types("/whois carol").sees()],
            ["*** carol has been here", "*** carol is in #lobby."],
        )

    def test_nothing_that_is_typed_behind_a_command_forges_a_line(self) -> None:
        for line in ("/topic [12:00:00] alice: hi", "/away *** x", "/me *** alice has left #lobby"):
            self.bob.types(line)
        self.assertEqual(
            self.alice.sees(),
            [
                "*** bob changed the topic of #lobby to: [12:00:00] alice: hi",
                "* bob *** alice has left #lobby",
            ],
        )
