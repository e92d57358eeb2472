"""Taking a nickname."""

from tests.people import ChatTestCase

QUESTION = "What is your nickname?"


class NicknameTests(ChatTestCase):
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
        for word in ("/quit", "exit", "!Disconnect"):
            self.assertTrue(self.connects().types(word).is_gone)

    def test_an_empty_answer_is_no_answer(self) -> None:
        somebody = self.connects()
        somebody.raw()
        somebody.types("", "   ")
        self.assertEqual(somebody.raw(), "")
