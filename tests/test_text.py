"""What a text from outside may have in it, and what becomes of the rest."""

import re
import unicodedata

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from tests.honest_names import NAMES_OF_THE_WORLD
from twisted_chat.refusal import Refused
from twisted_chat.text import unicode_tables
from twisted_chat.text.cleaning import clean, is_blank, note_on, with_few_blanks

LIMIT = 2000
FLAG_OF_WALES = "\U0001f3f4\U000e0067\U000e0062\U000e0077\U000e006c\U000e0073\U000e007f"

HONEST = (
    "hello everyone",
    "Grüße, ça va? Þetta er íslenska",
    "e\u0301 and o\u0308 in two characters each",
    "Tiếng Việt có dấu",
    "漢字かなカナ 한국어",
    "مرحبا، كيف الحال؟",
    "بِسْمِ ٱللَّهِ ٱلرَّحْمَٰنِ ٱلرَّحِيمِ",
    "שלום עליכם",
    "בְּרֵאשִׁ֖ית בָּרָ֣א אֱלֹהִ֑ים",
    "می\u200cخواهم",  # Persian, with a joiner that matters
    "नमस्ते, क्\u200dष",
    "สวัสดีครับ ที่นี่",
    "བོད་སྐད་",
    "ཧྐྵྨླྺྼྻྂ",  # the tallest there is, of the Kalachakra
    "שָּׁ֝֗",
    "وُّۢۚ",
    "လျှို့ဝှက်ချက်",
    "ស្ត្រីភាព",
    "ഴാങ്ങ്ങ്ങ്",
    "हृ॒दि꣡ त्र्य꣢म्बकं",
    "e\u0331\u0302\u0301 of somebody who writes tones",
    "family \U0001f468\u200d\U0001f469\u200d\U0001f467, heart \u2764\ufe0f, keycap 1\ufe0f\u20e3",
    "thumbs \U0001f44d\U0001f3fd, flag \U0001f1e9\U0001f1ea, " + FLAG_OF_WALES,
    "𝄞 and 𐍈",
    "%n {0} ${jndi:ldap://x} $(id) `id` <script>alert(1)</script> '; DROP TABLE--",
    "\U0001fae8 is newer than most tables, \U0001faff is in none yet",
    "a no-break\u00a0space, a soft\u00adhyphen and a zero-width\u200bspace",
    "\ufffd is what others show for what they cannot",
)

REFUSED = {
    "control-characters": (
        *("a" + chr(code) + "b" for code in (*range(9), *range(0x0A, 0x20), *range(0x7F, 0xA0))),
        "\x1b[2J\x1b[H",
        "\x1b]0;a title\x07",
        "\x1b]52;c;cm0gLXJm\x07",
        '\x1bP$q"p\x1b\\',
        "\x1b[6n",
        "\x9b31m",
        "\x9d0;a title\x9c",
        "two\u2028lines",
        "two\u2029paragraphs",
        "two\x85lines",
        "two\nlines",
        "one\rover another",
    ),
    "unshowable-characters": (
        "\ud800",
        "\udfff alone",
        "\ue000",
        "\uf8ff",
        "\U000f0000",
        "\U0010fffd",
        "\ufdd0",
        "\ufffe",
        "\U0001ffff",
        "\ufff9annotated\ufffb",
        "\U000e0001",
        "hidden \U000e0068\U000e0069",
        FLAG_OF_WALES[:-1],
        "a\u202e" + "\U000e0041",
    ),
    "piled-marks": (
        "a" + "\u0301" * 7,
        "z" + "\u0300\u0316" * 100,
        "a" + "\u20dd" * 7,
        "\u0301" * 7,
        "a" + "\u0301" * 4 + "\u200e" + "\u0301" * 4,
        "a" + ("\u0301" + "\u200d") * 7,
        "ก" + "\u0e47" * 20,
        "ب" + "\u064b" * 20,
        "क" + "\u0941" * 60,
        "က" + "\u102d\u1032" * 30,
        "𞤀" + "\U0001e944" * 60,
        "a" + "\U0001d167" * 60,
        "ཀ" + "\u0f71" * 60,
        "ཀ" + "\u0f90" * 9,
        *("a" + ("\u0301" * 6 + unseen) * 10 for unseen in "\ufe0f\u034f\u200d\u180b\u00ad\u2060"),
        *("a" + ("\u0301" * 6 + unseen) * 10 for unseen in "\U000e0100\U0001d173\U0001bca0"),
    ),
}

NOT_UTF_8 = (
    b"\xff",
    b"\xc0\xaf",
    b"\xe0\x80\x9b",
    b"\xed\xa0\x80",
    b"\xf4\x90\x80\x80",
    b"\x80",
    b"abc\xc3",
    "grüße".encode("latin-1"),
    "hello".encode("utf-16"),
    b"\x9b2J",
)

FORBIDDEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069\ud800-\udfff"
    "\ue000-\uf8ff\ufffe\uffff]"
)

TRICKY = st.text(
    st.one_of(
        st.characters(),
        st.sampled_from(
            "\u0301\u200d\u200e\u202e\u2066\ufeff\t\u061c\U000e0067\U000e007f\U0001f3f4\ufe0f\x1b a"
        ),
    ),
    max_size=40,
)


BLANKS = (
    *(" ", "\u00a0", "\u1680", "\u2003", "\u200a", "\u202f", "\u205f", "\u3000"),
    *("\u2800", "\u3164", "\u115f", "\u1160", "\uffa0", "\U0001d159", "\U00013441", "\U00013442"),
)
UNSEEN = (
    *("\u200b", "\u200c", "\u200d", "\u2060", "\u2063", "\ufeff", "\u00ad", "\u034f", "\u180e"),
    *("\u17b4", "\u180b", "\ufe0f", "\ufff0", "\u2d7f", "\U000e0100", "\U000e01f0", "\U0001bca0"),
    *("\U0001d173", "\U00013430", "\U00016fe4"),
)


class CleanTests(SynchronousTestCase):
    def test_honest_text_arrives_unchanged(self) -> None:
        for text in HONEST:
            self.assertEqual(clean(text.encode(), LIMIT), text)
            self.assertEqual(clean(text, LIMIT), text)

    def test_what_would_harm_a_screen_is_refused_and_not_changed(self) -> None:
        for code, texts in REFUSED.items():
            for text in texts:
                refused = self.assertRaises(Refused, clean, text, LIMIT)
                self.assertEqual(refused.code, code, ascii(text))
                if not any("\ud800" <= character <= "\udfff" for character in text):
                    refused = self.assertRaises(Refused, clean, text.encode(), LIMIT)
                    self.assertEqual(refused.code, code, ascii(text))

    def test_names_and_words_of_every_living_script_arrive_unchanged(self) -> None:
        for words in NAMES_OF_THE_WORLD.values():
            for form in ("NFC", "NFD"):
                text = unicodedata.normalize(form, " ".join(words))
                self.assertEqual(clean(text, 2 * LIMIT), text)

    def test_marks_of_no_block_pile_higher_than_six(self) -> None:
        marks = 0
        for entry in unicode_tables.MARKS.split():
            first, _, last = entry.partition("-")
            for code in range(int(first, 16), int(last or first, 16) + 1):
                marks += 1
                six = "a" + chr(code) * 6
                self.assertEqual(clean(six + six, LIMIT), six + six)
                refused = self.assertRaises(Refused, clean, six + chr(code), LIMIT)
                self.assertEqual(refused.code, "piled-marks", hex(code))
        self.assertGreater(marks, 1800)

    def test_the_table_has_every_mark_that_python_knows(self) -> None:
        old = unicodedata.ucd_3_2_0  # the same in every Python
        for character in map(chr, range(0x300, 0x1D200)):
            if old.category(character) in ("Mn", "Me") and unicodedata.category(character) == "Mn":
                piled = "a" + character * 7
                if not is_blank(character):
                    self.assertRaises(Refused, clean, piled, LIMIT)

    def test_what_is_not_utf_8_is_refused(self) -> None:
        for line in NOT_UTF_8:
            self.assertEqual(self.assertRaises(Refused, clean, line, LIMIT).code, "not-utf-8", line)

    def test_direction_marks_are_taken_out_and_that_is_said(self) -> None:
        for mark in "\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069":
            line = f"a{mark}b{mark}".encode()
            self.assertEqual(clean(line, LIMIT), "ab")
            self.assertIn("direction marks were removed", note_on(line))
        for text in ("ab", "äöü", "שלום"):
            self.assertEqual(note_on(text.encode()), "")

    def test_a_byte_order_mark_is_taken_out_without_a_word(self) -> None:
        self.assertEqual(clean(b"\xef\xbb\xbfhello", LIMIT), "hello")

    def test_a_tab_is_a_blank(self) -> None:
        self.assertEqual(clean("a\tb", LIMIT), "a b")

    def test_every_size_around_the_limit_is_whole_or_refused(self) -> None:
        for character in "xü漢😀":
            size = len(character.encode())
            for length in range(LIMIT // size - 3, LIMIT // size + 4):
                text = character * length
                for line in (text, text.encode()):
                    if length * size <= LIMIT:
                        self.assertEqual(clean(line, LIMIT), text)
                    else:
                        refused = self.assertRaises(Refused, clean, line, LIMIT)
                        self.assertEqual(refused.code, "too-long")
                        self.assertIn("2000", refused.text)

    @given(TRICKY)
    def test_nothing_forbidden_is_left(self, text: str) -> None:
        try:
            cleaned = clean(text, LIMIT)
        except Refused:
            return
        self.assertIsNone(FORBIDDEN.search(cleaned))
        self.assertLessEqual(len(cleaned.encode()), LIMIT)

    @given(TRICKY)
    def test_what_is_clean_stays_as_it_is(self, text: str) -> None:
        try:
            cleaned = clean(text, LIMIT)
        except Refused:
            return
        self.assertEqual(clean(cleaned, LIMIT), cleaned)
        self.assertEqual(clean(cleaned.encode(), LIMIT), cleaned)

    @given(st.binary(max_size=60))
    def test_any_bytes_are_shown_or_refused(self, line: bytes) -> None:
        try:
            cleaned = clean(line, LIMIT)
        except Refused as why:
            self.assertRegex(why.text, r"^[A-Z].*[.]$")
            return
        self.assertIsNone(FORBIDDEN.search(cleaned))

    @given(st.text(st.characters(categories=["L", "Nd", "P", "Sm", "Sc", "So"]), max_size=60))
    def test_letters_digits_and_signs_are_never_changed(self, text: str) -> None:
        text = re.sub("[\U000e0000-\U000e007f]", "", unicodedata.normalize("NFC", text))
        self.assertEqual(clean(text, LIMIT), text)


class BlankTests(SynchronousTestCase):
    def test_what_shows_nothing_is_blank(self) -> None:
        for text in ("", " ", "   ", "\u3000", "\u200b", "\u3000\u200b\u00a0", "\u2800", "\u3164"):
            self.assertTrue(is_blank(text), ascii(text))
        for text in ("\u00ad", "\u2060", "\ufeff", "\u115f\u1160", "\ufe0f", "\u200d\u200c"):
            self.assertTrue(is_blank(text), ascii(text))

        for text in (*BLANKS, *UNSEEN):
            self.assertTrue(is_blank(text), ascii(text))

    def test_what_shows_something_is_not(self) -> None:
        for text in HONEST:
            self.assertFalse(is_blank(text), ascii(text))
        for text in (".", "0", "\ufffd", " x "):
            self.assertFalse(is_blank(text), ascii(text))

    def test_of_more_than_sixteen_blanks_sixteen_are_shown(self) -> None:
        for blank in BLANKS:
            self.assertEqual(with_few_blanks(f"a{blank * 17}b"), f"a{blank * 16}b", ascii(blank))
            self.assertEqual(with_few_blanks(f"a{blank * 900}b"), f"a{blank * 16}b", ascii(blank))
            self.assertEqual(with_few_blanks(f"a{blank * 16}b"), f"a{blank * 16}b", ascii(blank))

    def test_what_is_not_seen_makes_no_two_runs_of_one(self) -> None:
        for unseen in UNSEEN:
            text = with_few_blanks("a" + (" " * 9 + unseen) * 9 + "[12:00:00] bob: hi")
            self.assertLessEqual(text.count(" "), 17, ascii(unseen))

    def test_honest_text_keeps_its_blanks(self) -> None:
        for text in (*HONEST, "  two by two  " * 40, "a" + " " * 16 + "b", "　" * 16 + "漢字"):
            self.assertEqual(with_few_blanks(text), text)
