"""Taking a nickname."""

from tests.people import ChatTestCase

QUESTION = "What is your nickname?"


class NicknameTests(ChatTestCase):
    def test_nobody_can_look_like_somebody_who_is_here(self) -> None:
        paypal = self.joins("paypal")
        other = self.connects().types("paypaI")
        self.assertIn(
            "!!! The nickname paypaI looks like paypal, who is here: choose another one.",
            other.sees(),
        )
        other.types("раураl", "bob", "/nick PaypaI")
        seen = other.raw()
        self.assertIn("mixes letters of several alphabets", seen)
        self.assertIn("looks like paypal", seen)
        paypal.types("/nick PayPaI", "/quit")
        other.types("/nick paypal")
        self.assertIn("paypal", [m.nickname for m in self.factory.chat.lobby.members.values()])

    def test_nobody_can_look_like_somebody_in_small_capitals_or_with_two_letters_for_one(
        self,
    ) -> None:
        for name, other in (
            ("MARK", "ᴍᴀʀᴋ"),
            ("wanda", "vvanda"),
            ("dave", "clave"),
            ("bob", "ƅob"),
        ):
            self.joins(name)
            seen = self.connects().types(other).raw()
            self.assertIn(f"!!! The nickname {other} looks like {name}, who is here", seen)

    def test_a_name_is_the_same_with_the_joiners_that_its_letters_take_and_without(self) -> None:
        self.joins("علی\u200cرضا")
        seen = self.connects().types("علیرضا").raw()
        self.assertIn("!!! The nickname علیرضا is taken", seen)

    def test_no_room_can_look_like_another(self) -> None:
        mallory = self.joins("mallory").types("/join #1obby", "/join #dev", "/join #DEV")
        seen = mallory.raw()
        self.assertIn("!!! #1obby looks like #lobby: join that, or choose another name.", seen)
        self.assertEqual(list(self.factory.chat.rooms), ["#lobby", "#dev"])

    def test_of_ten_who_ask_for_one_name_one_gets_it(self) -> None:
        people = [self.connects() for _ in range(10)]
        for person in people:
            person.protocol.dataReceived(b"alice\n")
        people[0].turn_ends()
        answers = [person.raw() for person in people]
        self.assertEqual(sum("Welcome, alice!" in answer for answer in answers), 1)
        self.assertEqual(sum("alice is taken" in answer for answer in answers), 9)

    def test_programs_may_not_guess_for_ever_either(self) -> None:
        self.factory.chat.limits.nickname_tries = 3
        robot = self.program("root").asks(do="hello", nick="admin")
        self.assertFalse(robot.is_gone)
        robot.asks(do="hello", nick="server").asks(do="hello", nick="robot")
        self.assertEqual([error["code"] for error in robot.gets()][-1], "closing")
        self.assertTrue(robot.is_gone)

    def test_the_server_asks_first(self) -> None:
        self.assertEqual(self.connects().sees(), [f"Welcome to the lab. {QUESTION}"])

    def test_who_answers_is_in_the_lobby(self) -> None:
        alice = self.connects()
        alice.raw()
        alice.types("alice")
        self.assertEqual(
            alice.sees(),
            [
                "*** Welcome, alice! You are in #lobby. /help lists the commands, /quit leaves.",
                "*** In #lobby: alice (1)",
            ],
        )

    def test_a_nickname_in_use_is_refused_however_it_is_written(self) -> None:
        self.joins("Zoë")
        for same in ("Zoë", "ZOË", " zoë ", "Zoe\u0308", "Ｚoë"):
            other = self.connects()
            other.raw()
            other.types(same)
            refusal, question = other.sees()
            self.assertIn("is taken", refusal)
            self.assertTrue(refusal.startswith("!!! "))
            self.assertEqual(question, QUESTION)

    def test_what_cannot_be_a_nickname_is_refused_with_the_reason(self) -> None:
        reasons = {
            "two words": "letters, digits, _ and - only",
            "4you": "begins with a letter",
            "x" * 21: "too long",
            "\ufdfa\ufdfa": "too long",  # 18 letters each, once normalised
            "Server": "reserved",
            "al\u200bice": "letters, digits, _ and - only",
            "al\x1b[2Jice": "Control characters",
        }
        for nickname, reason in reasons.items():
            somebody = self.connects()
            somebody.raw()
            somebody.types(nickname)
            self.assertIn(reason, somebody.sees()[0])

    def test_three_wrong_answers_do_not_end_it(self) -> None:
        somebody = self.connects().types("1", "2", "3", "carol")
        self.assertIn("*** Welcome, carol!", somebody.raw())

    def test_ten_wrong_answers_do(self) -> None:
        somebody = self.connects().types(*"1234567890")
        self.assertIn("That was the last try", somebody.sees()[-1])
        self.assertTrue(somebody.is_gone)

    def test_thirty_seconds_without_an_answer_do(self) -> None:
        somebody = self.connects()
        somebody.raw()
        self.time_passes(29)
        somebody.sends(b"slo")
        self.assertFalse(somebody.is_gone)
        self.time_passes(1)
        self.assertIn("No nickname in 30 seconds", somebody.raw())
        self.assertTrue(somebody.is_gone)

    def test_a_first_word_of_a_program_does_not_lengthen_the_thirty_seconds(self) -> None:
        somebody = self.connects()
        self.time_passes(20)
        somebody.types('{"do":"ping"}')
        self.time_passes(10)
        self.assertTrue(somebody.is_gone)

    def test_who_has_a_nickname_may_be_silent_for_hours(self) -> None:
        alice = self.joins("alice")
        self.time_passes(7200)
        self.assertFalse(alice.is_gone)

    def test_of_ten_who_ask_at_once_one_gets_it(self) -> None:
        people = [self.connects() for _ in range(10)]
        for person in people:
            person.types("highlander")
        answers = [person.raw() for person in people]
        self.assertEqual(sum("*** Welcome" in answer for answer in answers), 1)
        self.assertEqual(sum("is taken" in answer for answer in answers), 9)

    def test_a_nickname_is_free_again_when_its_holder_has_gone(self) -> None:
        self.joins("alice").vanishes()
        self.joins("alice")

    def test_who_has_no_nickname_hears_nothing(self) -> None:
        listener = self.connects()
        listener.raw()
        self.joins("alice").types("a secret")
        self.assertEqual(listener.raw(), "")

    def test_quitting_is_possible_without_a_nickname(self) -> None:
        for word in ("/quit", "exit", "quit", ":q", "!Disconnect"):
            self.assertTrue(self.connects().types(word).is_gone)

    def test_enter_alone_is_asked_again(self) -> None:
        somebody = self.connects()
        somebody.raw()
        for line in ("", "   "):
            self.assertEqual(somebody.types(line).sees(), ["What is your nickname?"])
        self.assertIn("*** Welcome, alice!", somebody.types("alice").raw())

    def test_enter_held_down_does_not_ask_for_ever(self) -> None:
        somebody = self.connects().types(*[""] * 50)
        self.assertLess(len(somebody.sees()), 15)
        self.assertTrue(somebody.is_gone)

    def test_who_asks_for_help_is_told_what_to_type(self) -> None:
        for word in ("help", "/help", "/?"):
            somebody = self.connects()
            somebody.raw()
            self.assertEqual(
                somebody.types(word).sees(),
                [
                    "*** Type the name that others are to see, then Enter. /quit leaves.",
                    "What is your nickname?",
                ],
            )

    def test_a_control_key_leaves(self) -> None:
        for keys in (b"al\x03", b"\xff\xf4\xff\xfd\x06", b"al\x04", b"\xff\xec", b"al\x1a"):
            somebody = self.connects()
            somebody.sends(keys)
            self.assertTrue(somebody.is_gone, keys)

    def test_a_name_shows_in_one_form_however_it_was_composed(self) -> None:
        somebody = self.connects().types("Zoe\u0308")
        self.assertIn("*** Welcome, Zo\u00eb!", somebody.raw())

    def test_blanks_around_it_and_any_line_end_are_no_part_of_it(self) -> None:
        for number, answer in enumerate((b"  al%d \t\n", b"al%d\r\0", b"al%d\r", b"al%d\r\n")):
            somebody = self.connects()
            somebody.sends(answer % number)
            self.assertIn(f"*** Welcome, al{number}!", somebody.raw())

    def test_what_nobody_could_see_is_no_part_of_a_nickname(self) -> None:
        self.joins("alice")
        for hidden in ("\u200b", "\u00ad", "\u2060", "\u200d", "\ufe0f", "\u3164", "\u2800"):
            for nickname in (f"al{hidden}ice", f"alice{hidden}"):
                somebody = self.connects()
                somebody.raw()
                somebody.types(nickname)
                self.assertIn("letters, digits, _ and - only", somebody.sees()[0], ascii(nickname))

    def test_a_nickname_with_control_characters_is_refused(self) -> None:
        for control in (b"\x1b", b"\x07", b"\x08", b"\x7f", b"\0x", b"\xc2\x9b", b"\xc2\x85"):
            somebody = self.connects()
            somebody.raw()
            somebody.sends(b"al" + control + b"ice\n")
            refusal, question = somebody.sees()
            self.assertIn("Control characters are not allowed", refusal)
            self.assertEqual(question, QUESTION)

    def test_a_nickname_without_an_end_is_too_long_once(self) -> None:
        somebody = self.connects()
        somebody.raw()
        for _ in range(100):
            somebody.sends(b"x" * 10_000)
        refusal, question = somebody.sees()
        self.assertIn("too long", refusal)
        self.assertEqual(question, QUESTION)
        somebody.types("x", "alice")
        self.assertIn("*** Welcome, alice!", somebody.raw())

    def test_what_is_too_long_is_answered_in_its_turn(self) -> None:
        somebody = self.connects()
        somebody.raw()
        somebody.sends(b"alice\n" + b"x" * 10_000 + b"\n")
        welcome, _, refusal = somebody.sees()
        self.assertIn("*** Welcome, alice!", welcome)
        self.assertIn("too long", refusal)

    def test_who_was_refused_is_not_heard_of(self) -> None:
        alice = self.joins("alice")
        alice.raw()
        self.connects().types("ALICE", "9", "Server").vanishes()
        self.assertEqual(alice.raw(), "")

    def test_lines_behind_the_nickname_are_said_in_order(self) -> None:
        alice = self.joins("alice")
        alice.raw()
        self.connects().types("9", "bob", "one", "two")
        self.assertEqual(alice.sees(), ["*** bob has joined #lobby", "bob: one", "bob: two"])


class RenamingTests(ChatTestCase):
    def setUp(self) -> None:
        """Alice and bob are in the lobby."""
        super().setUp()
        self.alice = self.joins("alice")
        self.bob = self.joins("bob")
        self.alice.raw()

    def test_everybody_is_told_once(self) -> None:
        self.bob.types("/nick robert")
        self.assertEqual(self.alice.sees(), ["*** bob is now known as robert"])
        self.assertEqual(self.bob.sees(), ["*** bob is now known as robert"])

    def test_the_same_name_is_no_new_name(self) -> None:
        self.bob.types("/nick bob")
        self.assertEqual(self.bob.sees(), ["!!! You are called bob already."])
        self.assertEqual(self.alice.raw(), "")

    def test_ones_own_name_may_be_written_otherwise(self) -> None:
        self.bob.types("/nick BOB", "hi")
        self.assertEqual(self.alice.sees(), ["*** bob is now known as BOB", "BOB: hi"])
        self.alice.types("/users")
        self.assertEqual(self.alice.sees(), ["*** In #lobby: alice, BOB (2)"])

    def test_a_name_in_use_is_refused_and_the_old_one_stays(self) -> None:
        self.bob.types("/nick ALICE", "hi")
        (refusal,) = self.bob.sees()
        self.assertEqual(refusal, "!!! The nickname ALICE is taken: choose another one.")
        self.assertEqual(self.alice.sees(), ["bob: hi"])

    def test_what_cannot_be_a_nickname_cannot_become_one(self) -> None:
        for name, reason in (("Server", "reserved"), ("two words", "letters"), ("9", "begins")):
            self.bob.types(f"/nick {name}")
            self.assertIn(reason, self.bob.sees()[0])

    def test_the_old_name_is_free_at_once_and_the_new_one_taken(self) -> None:
        self.bob.types("/nick robert")
        self.joins("bob")
        late = self.connects().types("Robert")
        self.assertIn("is taken", late.raw())

    def test_what_was_said_before_keeps_the_old_name(self) -> None:
        self.bob.types("before", "/nick robert", "after")
        newcomer = self.connects().types("carol")
        self.assertEqual(
            newcomer.sees()[2:5],
            ["bob: before", "*** bob is now known as robert", "robert: after"],
        )

    def test_it_is_told_in_every_room(self) -> None:
        for person in (self.alice, self.bob):
            person.types("/join dev").raw()
        self.alice.raw()
        self.bob.types("/nick robert")
        self.assertEqual(self.alice.sees(), ["*** bob is now known as robert"] * 2)
        for room in ("#lobby", "#dev"):
            carol = self.joins(f"carol-{room[1:]}").types(f"/join {room}", "/history")
            self.assertIn("*** bob is now known as robert", carol.sees())

    def test_who_changes_all_the_time_is_told_to_wait(self) -> None:
        for number in range(5):
            self.bob.types(f"/nick bob{number}")
        self.assertEqual(len(self.alice.sees()), 3)
        self.assertIn("!!! You change your nickname too often: wait", self.bob.sees()[-1])
        self.time_passes(21)
        self.bob.types("/nick robert")
        self.assertEqual(self.alice.sees(), ["*** bob2 is now known as robert"])

    def test_a_new_name_leaves_with_its_holder(self) -> None:
        self.bob.types("/nick robert")
        self.bob.vanishes()
        self.assertEqual(self.alice.sees()[-1], "*** robert has left #lobby (connection lost)")
        self.joins("robert")
        self.joins("bob")
