"""Whatever anybody sends, in whatever pieces: nobody else suffers, and nothing fails.

More than the usual number of tries: `HYPOTHESIS_PROFILE=long python -m pytest tests/test_fuzz.py`.
"""

import json
import re
import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from tests.people import ChatTestCase, Person, Program, Somebody
from twisted_chat import Limits

_SERVER_SAYS = re.compile(r"\[\d\d:\d\d:\d\d\] |\*\*\* |!!! |Welcome to |What is your nickname\?$")
_TURNS = ("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI")
_WORDS = (
    *("/help", "/users", "/nick x", "/join #dev", "/leave", "/whisper witness hi", "/me waves"),
    *("/topic tea", "/away", "/back", "/history 50", "/ignore witness", "/whois witness", "/bell"),
    *("@witness psst", "//x", "exit", "/quit", "hello", "*** forged has joined", "bob: forged"),
    *("/nick ", "/join " + "x" * 40, "/whisper " + "a," * 30 + " hi", "/history -1", "/history 1h"),
)
_REQUESTS = st.fixed_dictionaries(
    {},
    optional={
        "do": st.sampled_from(["hello", "say", "command", "history", "ping", "x", 5, None]),
        "nick": st.sampled_from(["eve", "witness", "", 7, "\ud800", "a\x00b", "é" * 30]),
        "room": st.sampled_from(["#lobby", "#dev", "@", "nope", "", 3, None, ["#lobby"]]),
        "text": st.one_of(st.sampled_from(_WORDS), st.text(max_size=30), st.integers(), st.none()),
        "ref": st.one_of(st.text(max_size=120), st.integers(), st.none()),
        "limit": st.sampled_from([0, 1, 50, 10**20, -1, 1.5, True, "9", None]),
        "before": st.sampled_from([0, 1, 10**30, -5, 2.5, "x"]),
        "after": st.sampled_from([0, 1, 10**30, -5, False]),
        "seen": st.sampled_from([{}, {"#lobby": 1}, {"#lobby": -1}, {"@": "x"}, [], 5, {"": 0}]),
        "session": st.sampled_from(["x", "", 5, None, "\ud800"]),
    },
)
_LINES = st.one_of(
    st.sampled_from(_WORDS).map(str.encode),
    st.text(max_size=40).map(lambda text: text.encode(errors="surrogatepass")),
    st.binary(max_size=60),
    _REQUESTS.map(lambda thing: json.dumps(thing).encode()),
    st.sampled_from(
        [
            b'{"do":"say","text":"\\ud800"}',
            b"[" * 3000,
            b'{"a":' * 2000,
            b'{"do":"say","text":NaN}',
            b"{" + b'"a":1,' * 900,
            b"x" * 2001,
            b"x" * 20_000,
            "e\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301".encode(),
            b"\x1b[2J\x1b]0;title\x07",
            "\u202etxet\u2066".encode(),
            b"\xff\xfa\x18\x00\xff\xf0\xff\xfd\x01\xff\xfb",
        ]
    ),
)
_ENDS = st.sampled_from([b"\n", b"\r\n", b"\r\0", b"\r", b""])
_PIECES = st.lists(st.tuples(_LINES, _ENDS).map(b"".join), min_size=1, max_size=12).map(b"".join)


class AnythingTests(ChatTestCase):
    limits = Limits(pace=None)

    def setUp(self) -> None:
        """A witness with netcat, and one with a program."""
        super().setUp()
        self.witness = self.joins("witness")
        self.bot = self.program("bot")
        self.witness.raw(), self.bot.raw()
        self.ids: list[int] = []

    def fed(self, somebody: Somebody, data: bytes, cuts: list[int]) -> None:
        """Bytes arrive in pieces, until the server has had enough of them."""
        start = 0
        for end in [*sorted(cut % (len(data) + 1) for cut in cuts), len(data)]:
            if not somebody.is_gone:
                somebody.sends(data[start:end])
            start = end

    def check_witnesses(self) -> None:
        """What others see is safe and whole, and an honest line arrives once."""
        Person(self.factory).types("honest", "an honest line", "/quit")
        self.clock.advance(5)
        seen = self.witness.raw()
        self.assertEqual(seen.count("honest: an honest line\r\n"), 1)
        for line in seen.removesuffix("\r\n").split("\r\n"):
            self.assertRegex(line, _SERVER_SAYS)
            for character in line:
                self.assertNotIn(unicodedata.category(character), ("Cc", "Cs", "Co", "Zl", "Zp"))
                self.assertNotIn(
                    character, "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
                )
        events = self.bot.gets()
        texts = [event.get("text") for event in events if event.get("from") == "honest"]
        self.assertEqual(texts.count("an honest line"), 1)
        self.ids += [e["id"] for e in events if "id" in e and e["room"] == "#lobby"]
        self.assertEqual(self.ids, list(range(1, len(self.ids) + 1)))
        self.assertEqual(self.flushLoggedErrors(), [])

    @given(_PIECES, st.lists(st.integers(0, 10_000), max_size=6), st.sampled_from("celv"))
    def test_nameless(self, data: bytes, cuts: list[int], end: str) -> None:
        eve = self.connects()
        self.fed(eve, data, cuts)
        self.leaves(eve, end)
        self.check_witnesses()

    @given(_PIECES, st.lists(st.integers(0, 10_000), max_size=6), st.sampled_from("celv"))
    def test_with_a_nickname(self, data: bytes, cuts: list[int], end: str) -> None:
        eve = self.connects().types("eve")
        self.fed(eve, data, cuts)
        self.leaves(eve, end)
        self.check_witnesses()

    @given(st.lists(_LINES, max_size=12), st.lists(st.integers(0, 10_000), max_size=6))
    def test_as_a_program(self, lines: list[bytes], cuts: list[int]) -> None:
        eve = Program(self.factory).asks(do="hello", nick="eve")
        self.fed(eve, b"".join(line + b"\n" for line in lines), cuts)
        answers = eve.raw().splitlines()
        for line in answers[1:]:
            self.assertIn("event", json.loads(line))
        self.leaves(eve, "v")
        self.check_witnesses()

    @given(_PIECES, _PIECES, st.lists(st.integers(0, 10_000), max_size=6))
    def test_two_at_once(self, one: bytes, other: bytes, cuts: list[int]) -> None:
        eve, mallory = self.connects().types("eve"), self.connects().types("mallory")
        self.fed(eve, one, cuts)
        self.fed(mallory, other, cuts)
        self.leaves(eve, "c")
        self.leaves(mallory, "v")
        self.check_witnesses()

    def leaves(self, somebody: Somebody, how: str) -> None:
        """One of the ways in which a connection ends."""
        if how in "el":
            somebody.says_no_more()
        if how == "v":
            somebody.vanishes()
        else:
            somebody.closes()
        self.clock.advance(400)  # nobody may come back any more
