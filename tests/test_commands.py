"""What the slash commands do, and what they answer when they cannot."""

import time

from tests.people import NOW, ChatTestCase, Person
from twisted_chat import Limits
from twisted_chat.commands.table import BY_WORD, COMMANDS


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
    def test_help_lists_every_command(self) -> None:
        lines = self.alice.types("/help").sees()
        for command in COMMANDS:
            self.assertIn(f"*** {command.synopsis}: {command.help}", lines)
        self.assertEqual(len(lines), len(COMMANDS) + 1)

    def test_help_says_more_about_each_by_any_of_its_names(self) -> None:
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
        for line, told in (
            ("/clear", "your terminal can clear its screen, the server cannot."),
            ("/query bob", "/whisper NICK TEXT begins a private conversation, and /reply TEXT"),
            (
                "/kick bob",
                "nobody can send others away here, but /ignore NICK hides what they say.",
            ),
        ):
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
                wanted = f"!!! Something is missing: {command.synopsis} ({command.help})"
                for rest in ("", "   ", "\u3000\u200b"):
                    self.assertEqual(self.answer(self.alice, f"/{word} {rest}"), wanted)
        self.assert_nobody_saw_anything()

    def test_upper_case_and_blanks_in_front_make_no_difference(self) -> None:
        for line in ("/USERS", "  /users", "/Users  "):
            self.assertEqual(self.answer(self.alice, line), "*** In #lobby: alice, bob, carol (3)")

    def test_a_near_miss_is_asked_about_and_told_to_nobody(self) -> None:
        for typed, meant in (
            ("/usres", "users"),
            ("/wisper bob psst", "whisper"),
            ("/hlep", "help"),
        ):
            self.assertIn(f"did you mean /{meant}?", self.answer(self.alice, typed))
        self.assert_nobody_saw_anything()

    def test_no_command_at_all_is_told_to_nobody_either(self) -> None:
        for typed in ("/xyzzy", "/", "/ hello", "/\u200b", "/" + "x" * 1000, "/漢字"):
            answer = self.answer(self.alice, typed)
            self.assertIn("!!! There is no command /", answer)
            self.assertIn("/help lists the commands", answer)
            self.assertLess(len(answer), 150)
        self.assert_nobody_saw_anything()


class WhisperTests(CommandTestCase):
    def test_one_person_reads_it_and_its_sender_sees_that_it_went(self) -> None:
        for command in ("/whisper bob", "/msg BOB", "/w bob", "/tell bob", "@bob", "@Bob  "):
            self.assertEqual(self.answer(self.alice, f"{command} psst"), "[whisper to bob] psst")
            self.assertEqual(self.bob.sees(), ["[whisper from alice] psst"])
        self.assertEqual(self.carol.raw(), "")

    def test_several_people_read_it_each_once(self) -> None:
        self.alice.types("@bob,CAROL,bob psst")
        self.assertEqual(self.alice.sees(), ["[whisper to bob] psst", "[whisper to carol] psst"])
        self.assertEqual(self.bob.sees(), ["[whisper from alice] psst"])
        self.assertEqual(self.carol.sees(), ["[whisper from alice] psst"])

    def test_when_one_of_several_is_not_here_nobody_reads_it(self) -> None:
        self.assertIn("nobody called zed", self.answer(self.alice, "@bob,zed psst"))
        self.assert_nobody_saw_anything()

    def test_more_than_ten_people_are_a_room(self) -> None:
        crowd = [f"guest{number}" for number in range(11)]
        for nickname in crowd:
            self.joins(nickname)
        self.alice.raw()
        self.assertIn("/join a room", self.answer(self.alice, f"@{','.join(crowd)} psst"))
        self.alice.types(f"@{','.join(crowd[:10])} psst")
        self.assertEqual(len(self.alice.sees()), 10)

    def test_to_oneself_is_refused(self) -> None:
        for line in ("@alice hm", "/w ALICE hm", "@bob,alice hm"):
            self.assertIn("!!! You cannot whisper to yourself", self.answer(self.alice, line))
        self.assert_nobody_saw_anything()

    def test_to_nobody_is_refused(self) -> None:
        self.assertEqual(
            self.answer(self.alice, "@zed psst"),
            "!!! There is nobody called zed: /users lists who is here.",
        )
        self.assertIn("did you mean carol?", self.answer(self.alice, "@carl psst"))
        self.assertEqual(
            self.answer(self.alice, "/whisper bbo psst"),
            "!!! There is nobody called bbo: did you mean bob?",
        )
        self.assertIn("!!! Say to whom", self.answer(self.alice, "/w , psst"))
        self.assert_nobody_saw_anything()

    def test_to_somebody_who_has_just_left_says_that(self) -> None:
        self.bob.types("/quit")
        self.alice.raw()
        self.assertEqual(
            self.answer(self.alice, "@bob wait"), "!!! bob has left: /users lists who is here."
        )
        self.time_passes(601)
        self.assertIn("There is nobody called bob", self.answer(self.alice, "@bob wait"))

    def test_without_a_text_or_with_blanks_alone_is_refused(self) -> None:
        for line in ("/w bob", "/w bob ", "@bob", "@bob   ", "@bob \u200b", "/w bob \u3000"):
            self.assertTrue(self.answer(self.alice, line).startswith("!!! S"), ascii(line))
        self.assert_nobody_saw_anything()

    def test_the_text_is_shown_as_it_was_typed(self) -> None:
        self.alice.types("@bob /quit  with   blanks, @carol")
        self.assertEqual(self.bob.sees(), ["[whisper from alice] /quit  with   blanks, @carol"])

    def test_who_takes_the_nickname_later_cannot_read_it(self) -> None:
        self.alice.types("@bob the key is under the mat")
        self.bob.vanishes()
        other = self.program("bob", seen={"@": 0}).asks(do="history", room="@", ref="h")
        (page,) = other.gets("whisper", "history")
        self.assertEqual((page["ref"], page["events"]), ("h", []))

    def test_who_is_renamed_meanwhile_is_found_under_the_new_name_alone(self) -> None:
        self.bob.types("/nick robert")
        for person in self.everybody:
            person.raw()
        self.assertIn("!!! ", self.answer(self.alice, "@bob psst"))
        self.assertEqual(self.answer(self.alice, "@robert psst"), "[whisper to robert] psst")
        self.assertEqual(self.bob.sees(), ["[whisper from alice] psst"])

    def test_who_has_lost_the_connection_reads_it_when_back(self) -> None:
        program = self.program("bot")
        token = program.gets()[0]["session"]
        program.vanishes()
        self.alice.raw()
        self.alice.types("@bot psst")
        self.assertEqual(
            sorted(self.alice.sees()),
            [
                "*** bot has lost the connection, and will read it when back.",
                "[whisper to bot] psst",
            ],
        )
        back = self.program("bot", session=token, seen={"#lobby": 0, "@": 0})
        self.assertEqual([event["text"] for event in back.gets("whisper")], ["psst"])


class ReplyTests(CommandTestCase):
    def test_it_goes_to_who_whispered_last(self) -> None:
        self.bob.types("@alice one")
        self.carol.types("@alice two")
        for person in self.everybody:
            person.raw()
        self.assertEqual(self.answer(self.alice, "/reply three"), "[whisper to carol] three")
        self.assertEqual(self.answer(self.alice, "/r four"), "[whisper to carol] four")
        self.assertEqual(len(self.carol.sees()), 2)
        self.assertEqual(self.bob.raw(), "")

    def test_whispering_oneself_changes_nothing(self) -> None:
        self.bob.types("@alice one")
        self.alice.types("@carol two").raw()
        self.assertEqual(self.answer(self.alice, "/r three"), "[whisper to bob] three")

    def test_it_finds_who_has_another_name(self) -> None:
        self.bob.types("@alice one", "/nick robert")
        self.alice.raw()
        self.assertEqual(self.answer(self.alice, "/r two"), "[whisper to robert] two")

    def test_it_does_not_go_to_somebody_else_of_that_name(self) -> None:
        self.bob.types("@alice one", "/quit")
        other = self.joins("bob")
        other.raw()
        self.alice.raw()
        self.assertEqual(
            self.answer(self.alice, "/r two"), "!!! bob has left: /users lists who is here."
        )
        self.assertEqual(other.raw(), "")

    def test_to_nobody_is_refused(self) -> None:
        self.assertIn("!!! Nobody has whispered to you yet", self.answer(self.alice, "/r hello"))

    def test_it_does_not_go_to_somebody_who_is_not_heard(self) -> None:
        self.alice.types("/ignore bob").raw()
        self.carol.types("@alice from carol")
        self.bob.types("@alice never seen")
        self.assertEqual(self.alice.sees(), ["[whisper from carol] from carol"])
        self.assertEqual(self.answer(self.alice, "/r a secret"), "[whisper to carol] a secret")


class AwayTests(CommandTestCase):
    def test_it_stands_beside_the_name(self) -> None:
        self.assertEqual(
            self.answer(self.bob, "/away at lunch"), "*** You are away: at lunch. /back ends it."
        )
        self.assertEqual(
            self.answer(self.alice, "/users"),
            "*** In #lobby: alice, bob (away: at lunch), carol (3)",
        )
        self.assertIn("*** bob is away: at lunch", self.alice.types("/whois bob").sees())

    def test_it_is_told_once_to_who_whispers(self) -> None:
        self.bob.types("/away at lunch").raw()
        told = "*** bob is away: at lunch"
        self.assertIn(told, self.alice.types("@bob psst").sees())
        self.assertNotIn(told, self.alice.types("@bob psst").sees())
        self.assertIn(told, self.carol.types("@bob psst").sees())

    def test_it_is_told_again_when_it_has_changed(self) -> None:
        self.bob.types("/away at lunch")
        self.alice.types("@bob psst").raw()
        self.bob.types("/back", "/away asleep")
        self.assertIn("*** bob is away: asleep", self.alice.types("@bob psst").sees())

    def test_it_ends(self) -> None:
        self.bob.types("/away").raw()
        self.assertEqual(self.answer(self.bob, "/back"), "*** You are back.")
        self.assertEqual(self.answer(self.bob, "/back"), "*** You were not away.")
        self.assertEqual(self.answer(self.alice, "/users"), "*** In #lobby: alice, bob, carol (3)")

    def test_without_a_reason_there_is_one(self) -> None:
        for line in ("/away", "/away  ", "/away \u200b"):
            self.assertEqual(
                self.answer(self.bob, line), "*** You are away: not here just now. /back ends it."
            )

    def test_nobody_is_disturbed_by_it(self) -> None:
        self.bob.types("/away", "/back").raw()
        self.assert_nobody_saw_anything()


class IgnoreTests(CommandTestCase):
    def setUp(self) -> None:
        """Alice ignores bob, who does not know."""
        super().setUp()
        self.bob.types("before")
        self.alice.raw()
        self.ignored = self.answer(self.alice, "/ignore bob")

    def test_nothing_of_what_they_say_is_seen(self) -> None:
        self.assertEqual(self.ignored, "*** You ignore bob: /unignore bob ends it.")
        self.bob.types("hello", "/me waves", "@alice psst", "/join dev", "/join lobby").raw()
        self.carol.types("hi")
        self.assertEqual(self.alice.sees(), ["carol: hi"])

    def test_nor_in_the_history(self) -> None:
        self.alice.types("/history")
        self.assertEqual(self.alice.raw(), "")

    def test_the_others_see_it_and_they_are_not_told(self) -> None:
        self.bob.raw()
        self.bob.types("hello")
        self.assertEqual(self.bob.raw(), "")
        self.assertIn("bob: hello", self.carol.sees())

    def test_another_name_does_not_help_them(self) -> None:
        self.bob.types("/nick robert", "hello", "@alice psst")
        self.assertEqual(self.alice.sees(), ["*** bob is now known as robert"])

    def test_coming_back_does_not_help_them(self) -> None:
        self.bob.vanishes()
        self.joins("Bob").types("hello")
        self.assertNotIn("hello", self.alice.raw())

    def test_it_ends_by_either_name(self) -> None:
        self.bob.types("/nick robert")
        for name in ("bob", "ROBERT"):
            self.alice.types("/ignore robert").raw()
            self.assertEqual(
                self.answer(self.alice, f"/unignore {name}"), f"*** You hear {name} again."
            )
            self.alice.types("/unignore bob", "/unignore robert").raw()
            self.bob.types("hello")
            self.assertEqual(self.alice.sees(), ["robert: hello"])

    def test_nothing_that_they_write_is_seen(self) -> None:
        self.bob.types("/topic boo", "/away boo", "/w alice boo").raw()
        self.assertEqual(self.alice.raw(), "")
        for command in ("/users", "/whois bob", "/w bob hi"):
            self.assertNotIn("boo", self.alice.types(command).raw(), command)
        self.bob.types("/back", "/quit boo")
        self.assertEqual(self.alice.sees(), ["*** bob has left #lobby"])

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
                "*** You ignore bbo: /unignore bbo ends it.",
                "*** Nobody called bbo is here: did you mean bob?",
                "*** You ignore zebra: /unignore zebra ends it.",
                "*** Nobody called zebra is here.",
            ],
        )

    def test_whom_one_ignores_is_listed(self) -> None:
        self.alice.types("/ignore somebody-else").raw()
        self.assertEqual(self.answer(self.alice, "/ignore"), "*** You ignore: bob, somebody-else")
        self.carol.raw()
        self.assertEqual(self.answer(self.carol, "/ignore"), "*** You ignore nobody.")

    def test_who_was_not_ignored_cannot_be_heard_again(self) -> None:
        self.assertIn("!!! You did not ignore carol", self.answer(self.alice, "/unignore carol"))

    def test_oneself_is_not_ignored(self) -> None:
        self.assertIn("!!! You cannot ignore yourself", self.answer(self.alice, "/ignore ALICE"))


class HistoryTests(CommandTestCase):
    def setUp(self) -> None:
        """Bob has said a line a minute, for half an hour."""
        super().setUp()
        self.lines = [f"bob: line {number}" for number in range(30)]
        for line in self.lines:
            self.bob.types(line.removeprefix("bob: "))
            self.clock.advance(60)
        self.alice.raw()

    def history(self, rest: str) -> list[str]:
        """What alice reads."""
        return self.alice.types(f"/history {rest}").sees()

    def test_it_shows_the_last_lines(self) -> None:
        self.assertEqual(self.history("5"), self.lines[-5:])
        self.assertEqual(self.history(""), self.lines[-20:])
        self.assertEqual(self.history("1000"), self.lines)

    def test_it_shows_what_was_said_in_a_time(self) -> None:
        self.assertEqual(self.history("5m"), self.lines[-5:])
        self.assertEqual(self.history("130s"), self.lines[-2:])
        for span in ("1h", "2d", "1w", "999999w"):
            self.assertEqual(self.history(span), self.lines)

    def test_it_shows_what_was_said_from_a_day_on(self) -> None:
        today = time.strftime("%Y-%m-%d", time.localtime(NOW))
        self.assertEqual(self.history(today), self.lines)
        self.assertEqual(self.history("2001-01-01"), self.lines)
        self.assertIn("nothing in the history", self.history("2038-01-01")[0])

    def test_ones_own_lines_are_in_it(self) -> None:
        self.assertEqual(self.bob.types("/history 2").sees(), self.lines[-2:])

    def test_whispers_are_not(self) -> None:
        self.bob.types("@carol secret")
        self.assertEqual(self.carol.types("/history 1").sees()[-1], self.lines[-1])

    def test_where_there_is_nothing_it_says_so(self) -> None:
        self.alice.types("/join dev").raw()
        self.assertEqual(self.history(""), ["*** There is nothing in the history of #dev to show."])
        self.assertIn("nothing", self.history("0")[0])

    def test_what_is_no_amount_is_refused(self) -> None:
        for rest in ("-1", "x", "1y", "five", "2026-13-01", "1.5h", "9999999", "1 2", "２m x"):
            self.assertEqual(
                self.history(rest),
                ["!!! Say how much: /history 50, /history 1h or /history 2026-11-20"],
                rest,
            )

    def test_a_page_is_two_hundred_lines(self) -> None:
        for number in range(250):
            self.bob.types(f"more {number}")
        self.alice.raw()
        self.assertEqual(self.history("999"), [f"bob: more {number}" for number in range(50, 250)])
        self.assertEqual(len(self.history("1d")), 200)


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
    def test_who_somebody_is(self) -> None:
        self.bob.types("hello", "/join dev")
        self.alice.raw()
        self.time_passes(3 * 3600)
        since = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(NOW))
        self.assertEqual(
            self.alice.types("/whois BOB").sees(),
            [
                f"*** bob has been here since {since}.",
                "*** bob was last active 3 hours ago.",
                "*** bob is in #lobby, #dev.",
            ],
        )
        self.bob.types("hi")
        self.alice.raw()
        self.assertIn("less than a minute ago", self.alice.types("/whois bob").sees()[1])
        self.assertIn("!!! There is nobody", self.answer(self.alice, "/whois zed"))

    def test_who_has_said_nothing_is_not_told_to_have_said_something(self) -> None:
        self.assertEqual(
            [line.split(" since")[0] for line in self.alice.types("/whois carol").sees()],
            ["*** carol has been here", "*** carol is in #lobby."],
        )

    def test_what_time_it_is(self) -> None:
        now = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(NOW))
        self.assertTrue(self.answer(self.alice, "/time").startswith(f"*** It is {now} (UTC"))

    def test_what_somebody_does(self) -> None:
        self.bob.types("/me waves  twice")
        self.assertEqual(self.alice.sees(), ["* bob waves  twice"])
        self.assertEqual(self.bob.sees(), ["* bob waves  twice"])

    def test_leaving_with_words_and_without(self) -> None:
        for line, seen in (
            ("/quit good night", " (good night)"),
            ("/quit", ""),
            ("/q", ""),
            ("/quit \u200b", ""),
        ):
            dave = self.joins("dave")
            self.alice.raw()
            self.assertTrue(dave.types(line).is_gone)
            self.assertEqual(self.alice.sees(), [f"*** dave has left #lobby{seen}"])
            self.time_passes(60)

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
