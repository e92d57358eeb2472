"""What people and rooms may be called, and when two names are the same."""

import unicodedata

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from tests.honest_names import FREQUENT_NAMES, NAMES_OF_THE_WORLD
from twisted_chat import Limits
from twisted_chat.refusal import Refused
from twisted_chat.text import unicode_tables
from twisted_chat.text.confusables import JOINERS, looks, skeleton
from twisted_chat.text.names import key, nickname, room

LIMITS = Limits()

GOOD = (
    *("a", "alice", "Bob2", "x-y_z", "O", "x" * 20, "al-", "a__b"),
    *(
        "Zoë",
        "Grüße",
        "Þór",
        "İpek",
        "Nguyễn",
        "漢字",
        "かな",
        "한글",
        "علي",
        "שרה",
        "Ελένη",
        "Иван",
    ),
    *("สมชาย", "अमित", "தமிழ்", "ქეთი", "Հայկ", "Αθηνά-2", "りんごカナ漢字", "Bob漢字"),
)

BAD = {
    "needs at least one letter": ("", " ", "\t", "\u3000"),
    "starts with a letter": (
        *("4you", "_x", "-x", "2", "٣", "two words", "a.b", "a/b", "a@b", "#dev", "@bob", "a:b"),
        *("*** x", "a\u00a0b", "a\u3000b", "a!", "<b>", "a'b", "a\\b", "a,b", "\u0301a"),
        *("al\u200bice", "al\u00adice", "al\u200dice", "al\u2060ice", "al\ufeffice"),
        *("al\u202eice", "al\u2066ice", "al\u200fice", "al\ufe0fice", "al\u2800ice"),
        *("al\u3164ice", "al\u115fice", "al\u1160ice", "al\uffa0ice", "al\u034fice"),
        *("al\U000e0041ice", "al\U000e0100ice", "al\x1bice", "al\x07ice", "al\x7fice", "al\x9bice"),
        *(
            "al\0ice",
            "al\rice",
            "al\nice",
            "al\x85ice",
            "al\ud800ice",
            "al\ue000ice",
            "al\uffffice",
        ),
        *(
            "a" + "\u0301" * 4,
            "a\u0301\u0302\u0303\u0304\u0306",
            "e\u0302\u0301\u0301",
            "က" + "\u102d\u102f\u1037\u1032\u1036",
            "က" + "\u102b" * 5,
            "क" + "\u094d\u200d" * 5,
            "ⴰⵣ\u2d7fⵓⵍ",
            "a\u200db",
            "b\u200cob",
            "علي\u200c",
            "a·b",
            "a׳b",
            "a・b",
            "😀",
            "a😀",
            "☃",
            "\u2160\u2161x!",
            "½a",
            "bobː",
            "aǃ",
            "ꓮꓽ",
            "ǅon",
            "𝐛𝐨𝐛",
        ),
    ),
    "mixes letters of several alphabets": (
        *("аlice", "Bоb", "pаypal", "Αlice", "aβ", "Ивaн", "漢字かな한글", "สมa", "aᏟ"),
    ),
    "too long": ("x" * 21, "x" * 100_000, "\ufdfa\ufdfa", "ﷺ" * 18, "\u3315" * 7),
    "too many bytes": ("\U00010400" * 17, "\U00020000" * 20),
}

RESERVED = """server System ADMIN root Notice error nobody chanserv Server- root_ Ｓerver
    server2 SYSTEM_ nul1 he1p admin-1 Server00
    Adm1n AdmIn adrnin r00t ad-min M0d m-e you_""".split()


class NicknameTests(SynchronousTestCase):
    def test_names_of_every_living_script_are_shown_as_typed(self) -> None:
        for name in GOOD:
            self.assertEqual(nickname(name, LIMITS), name)

    def test_blanks_around_a_name_are_no_part_of_it(self) -> None:
        self.assertEqual(nickname("  alice \t", LIMITS), "alice")

    def test_what_is_no_name_is_refused_with_the_reason(self) -> None:
        for reason, names in BAD.items():
            for name in names:
                refused = self.assertRaises(Refused, nickname, name, LIMITS)
                self.assertEqual(refused.code, "bad-nick")
                self.assertIn(reason, refused.text, ascii(name))

    def test_the_servers_own_voices_are_reserved(self) -> None:
        for name in RESERVED:
            refused = self.assertRaises(Refused, nickname, name, LIMITS)
            self.assertEqual(refused.code, "reserved-nick", name)

    def test_everybody_has_their_name_in_every_living_script(self) -> None:
        for names in NAMES_OF_THE_WORLD.values():
            for name in names:
                for form in ("NFC", "NFD"):
                    typed = unicodedata.normalize(form, name)
                    self.assertEqual(key(nickname(typed, LIMITS)), key(name))

    def test_a_thai_name_with_its_commonest_vowel_is_a_name(self) -> None:
        self.assertEqual(nickname("น้ำ", LIMITS), unicodedata.normalize("NFKC", "น้ำ"))

    def test_a_name_may_come_decomposed(self) -> None:
        for name in ("각" * 20, "ế" * 20):
            self.assertEqual(nickname(unicodedata.normalize("NFD", name), LIMITS), name)

    def test_people_may_be_called_nearly_so(self) -> None:
        for name in ("user42", "adminka", "Rooter", "model", "Nikita", "lan", "logan", "info2026"):
            self.assertEqual(nickname(name, LIMITS), name)

    def test_a_name_is_shown_in_one_normal_form(self) -> None:
        self.assertEqual(nickname("Zoe\u0308", LIMITS), "Zo\u00eb")

    @given(st.text(max_size=25))
    def test_whatever_is_asked_for_is_a_safe_name_or_refused(self, text: str) -> None:
        try:
            name = nickname(text, LIMITS)
        except Refused as why:
            self.assertTrue(why.text.isprintable())
            return
        self.assertLessEqual(len(name), LIMITS.nickname_characters)
        self.assertLessEqual(len(name.encode()), LIMITS.nickname_bytes)
        self.assertTrue(all(letter.isprintable() for letter in set(name).difference(JOINERS)))
        self.assertNotIn(" ", name)
        self.assertTrue(unicodedata.is_normalized("NFC", name))
        self.assertEqual(nickname(name, LIMITS), name)


class LookTests(SynchronousTestCase):
    def test_names_that_cannot_be_told_apart_have_a_look_in_common(self) -> None:
        for one, other in (
            ("paypal", "paypaI"),
            ("alice", "ali\u0307ce"),
            ("coco", "сосо"),
            ("mike", "rnike"),
            ("bob", "b0b"),
            ("Pay", "РАУ"),
            ("lan", "Ian"),
            ("al_1", "al_l"),
            ("MARK", "ᴍᴀʀᴋ"),
            ("mike", "ᴍɪᴋᴇ"),
            ("KEN", "ᴋᴇɴ"),
            ("Ken", "ĸen"),
            ("KAREN", "ꮶꭺꭱꭼɴ"),
            ("bob", "ƅob"),
            ("Bob", "ƅoƅ"),
            ("jan", "ȷan"),
            ("wanda", "vvanda"),
            ("Wanda", "VVANDA"),
            ("dave", "clave"),
            ("علی\u200cرضا", "علیرضا"),
            ("श्\u200dयाम", "श्याम"),
        ):
            self.assertTrue(set(looks(one)) & set(looks(other)), (one, other))

    def test_no_two_of_a_thousand_frequent_names_look_alike(self) -> None:
        for written in (str.lower, str.title):
            taken: dict[str, str] = {}
            for name in map(written, FREQUENT_NAMES):
                for look in looks(name):
                    self.assertEqual(taken.setdefault(look, name), name)

    def test_names_that_can_be_told_apart_have_none(self) -> None:
        names = ["alice", "bob", "leet", "l33t", "Иван", "Zoë", "zoe", "漢字", "ann", "anne", "na"]
        names += [f"guest{number}" for number in range(200)]
        taken: dict[str, str] = {}
        for name in names:
            for look in set(looks(name)):
                self.assertNotIn(look, taken, name)
                taken[look] = name

    @given(st.text(max_size=25))
    def test_what_is_the_same_name_looks_the_same(self, text: str) -> None:
        try:
            name = nickname(text, LIMITS)
        except Refused:
            return
        self.assertEqual(skeleton(skeleton(name)), skeleton(name))
        self.assertTrue(set(looks(name)) & set(looks(key(name))))

    def test_the_tables_are_unicodes(self) -> None:
        self.assertRegex(unicode_tables.VERSION, r"^1[7-9]\.")
        self.assertEqual(skeleton("ΑВСѕ"), "ABCs")


class SameNameTests(SynchronousTestCase):
    def test_case_and_normal_form_and_width_make_no_difference(self) -> None:
        for one, other in (
            ("alice", "ALICE"),
            ("Zo\u00eb", "zoe\u0308"),
            ("Straße", "STRASSE"),
            ("alice", "ａｌｉｃｅ"),
            ("alice", "𝐚𝐥𝐢𝐜𝐞"),
            ("ΣΊΣΥΦΟΣ", "σίσυφος"),
            ("file", "ﬁle"),
            ("Ångström", "A\u030angstro\u0308m"),
            ("ᾳ", "ΑΙ"),
            ("علی\u200cرضا", "علیرضا"),
            ("Գևորգ", "գեւորգ"),
        ):
            self.assertEqual(key(one), key(other), (one, other))

    def test_other_names_are_others(self) -> None:
        for one, other in (("alice", "alicia"), ("Zoe", "Zoë"), ("x", "y"), ("a-b", "a_b")):
            self.assertNotEqual(key(one), key(other))

    @given(st.text(st.characters(categories=["L", "Nd", "Mn", "Mc"]), min_size=1, max_size=8))
    def test_a_name_is_the_same_however_a_keyboard_composes_it(self, text: str) -> None:
        try:
            name = nickname(text, LIMITS)
        except Refused:
            return
        for form in ("NFC", "NFD", "NFKC", "NFKD"):
            self.assertEqual(key(unicodedata.normalize(form, name)), key(name))
        self.assertEqual(key(name.casefold()), key(name))
        self.assertEqual(key(key(name)), key(name))


class RoomNameTests(SynchronousTestCase):
    def test_the_sign_in_front_may_be_left_out(self) -> None:
        for typed in ("dev", "#dev", " #dev "):
            self.assertEqual(room(typed, LIMITS), "#dev")

    def test_a_room_may_begin_with_a_digit(self) -> None:
        for name in ("#2026", "#dev-2", "#grüße", "#漢字", "#" + "x" * 30):
            self.assertEqual(room(name, LIMITS), name)

    def test_what_is_no_room_is_refused(self) -> None:
        for name in (
            *("", "#", "##dev", "two words", "#-x", "#_", "#a.b", "#a#b", "@", "#" + "x" * 31),
            *("#\u200b", "#a\u202eb", "#a\x1bb", "#😀", "#" + "漢" * 30, "#\ud800", "x" * 100_000),
        ):
            refused = self.assertRaises(Refused, room, name, LIMITS)
            self.assertEqual(refused.code, "bad-room", ascii(name))

    @given(st.text(max_size=35))
    def test_whatever_is_asked_for_is_a_safe_name_or_refused(self, text: str) -> None:
        try:
            name = room(text, LIMITS)
        except Refused as why:
            self.assertTrue(why.text.isprintable())
            return
        self.assertTrue(name.startswith("#"))
        self.assertTrue(all(letter.isprintable() for letter in set(name).difference(JOINERS)))
        self.assertNotIn(" ", name)
        self.assertEqual(room(name, LIMITS), name)
