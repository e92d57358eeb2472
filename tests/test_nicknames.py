"""Taking a nickname."""

from tests.people import ChatTestCase

QUESTION = "What is your nickname?"


class NicknameTests(ChatTestCase):
    def test_of_ten_who_ask_for_one_name_one_gets_it(self) -> None:
        people = [self.connects() for _ in range(10)]
        for person in people:
            person.protocol.dataReceived(b"alice\n")
        people[0].turn_ends()
        answers = [person.raw() for person in people]
        self.assertEqual(sum("Welcome, alice!" in answer for answer in answers), 1)
        self.assertEqual(sum("alice is taken" in answer for answer in answers), 9)

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

    def test_thirty_seconds_without_an_answer_do(self) -> None:
        somebody = self.connects()
        somebody.raw()
        self.time_passes(29)
        somebody.sends(b"slo")
        self.assertFalse(somebody.is_gone)
        self.time_passes(1)
        self.assertIn("You chose no nickname within 30 seconds", somebody.raw())
        self.assertTrue(somebody.is_gone)

    def test_a_first_word_of_a_program_does_not_lengthen_the_thirty_seconds(self) -> None:
        somebody = self.connects()
        self.time_passes(20)
        somebody.types('{"do":"ping"}')
        self.time_passes(10)
        self.assertTrue(somebody.is_gone)

    def test_a_nickname_is_free_again_when_its_holder_has_gone(self) -> None:
        self.joins("alice").vanishes()
        self.joins("alice")

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
                    "*** Type the name that others will see, then press Enter. /quit leaves.",
                    "What is your nickname?",
                ],
            )

    def test_a_control_key_leaves(self) -> None:
        for keys in (b"al\x03", b"\xff\xf4\xff\xfd\x06", b"al\x04", b"\xff\xec", b"al\x1a"):
            somebody = self.connects()
            somebody.sends(keys)
            self.assertTrue(somebody.is_gone, keys)

    def test_blanks_around_it_and_any_line_end_are_no_part_of_it(self) -> None:
        for number, answer in enumerate((b"  al%d \t\n", b"al%d\r\0", b"al%d\r", b"al%d\r\n")):
            somebody = self.connects()
            somebody.sends(answer % number)
            self.assertIn(f"*** Welcome, al{number}!", somebody.raw())

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

    def test_lines_behind_the_nickname_are_said_in_order(self) -> None:
        alice = self.joins("alice")
        alice.raw()
        self.connects().types("9", "bob", "one", "two")
        self.assertEqual(alice.sees(), ["*** bob has joined #lobby", "bob: one", "bob: two"])
