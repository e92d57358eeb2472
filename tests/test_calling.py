"""When a text calls somebody by name."""

from twisted.trial.unittest import SynchronousTestCase

from twisted_chat.text.calling import Call
from twisted_chat.text.names import key


class CallTests(SynchronousTestCase):
    def assert_calls(self, name: str, *texts: str) -> None:
        for text in texts:
            self.assertTrue(Call(key(name)).is_in(text), ascii(text))

    def assert_does_not_call(self, name: str, *texts: str) -> None:
        for text in texts:
            self.assertFalse(Call(key(name)).is_in(text), ascii(text))

    def test_a_name_is_a_whole_word_in_any_case_and_form(self) -> None:
        self.assert_calls("Zoë", "zoe\u0308?", "(ZOË)", "Zoë's", "ask zoë")
        self.assert_does_not_call("ann", "", "anna", "joann", "ann_b", "an n", "ann1")

    def test_a_name_of_several_words_is_found_whole(self) -> None:
        self.assert_calls("mary-ann", "Mary-Ann, look", "xmary-ann mary-ann", "mary-ann")
        self.assert_does_not_call("mary-ann", "mary ann", "ann-mary", "xmary-ann", "mary-anna")
        self.assert_calls("bob-", "is bob- here?", "bob-")
        self.assert_does_not_call("bob-", "is bob here?", "bob-x")

    def test_a_name_with_marks_is_found_whole(self) -> None:
        self.assert_calls("हिन्दी", "हिन्दी, देखो")
        self.assert_does_not_call("हिन्दी", "हिन द")
