import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from tests.client.desk import NOON, Desk
from twisted_chat.client.harmless import as_json, harmless

NAMES = """event time room from text to id ref nick session server resumed commands motd members
count topic lines code wait aliases name usage help away connected reason replayed
role target until setting value""".split()
EVENTS = """welcome state message action whisper join leave rename topic away notice hidden missed
answer error pong history role kick ban unban mute unmute invite setting close""".split()

anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from([NOON, "c-1", "#lobby", "alice", "/join", "0001-01-01", "9999-12-31T23:59Z"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=3)
    ),
    max_leaves=6,
)
objects = st.dictionaries(st.sampled_from(NAMES), anything, max_size=8).flatmap(
    lambda thing: st.sampled_from(EVENTS).map(
        lambda event: {"time": NOON} | thing | {"event": event}
    )
)
lines = st.binary(max_size=40) | objects.map(lambda thing: json.dumps(thing).encode())


class HostileServerTests(SynchronousTestCase):
    def survives(self, said: list[bytes], *, plain: bool, welcomed: bool) -> None:
        desk = Desk(plain=plain, json=not plain)
        try:
            desk.server.accepts()
            if welcomed:
                desk.server.welcomes("alice")
            desk.types("hello", "/users")
            for line in said:
                if desk.server.hung_up:
                    return
                desk.server.sends(line + b"\n")
            for shown in desk.sees():
                self.assertEqual(shown, harmless(shown))
        finally:
            desk.goes()

    @settings(deadline=None, max_examples=60)
    @given(st.lists(lines, max_size=6), st.booleans())
    def test_a_person_survives_whatever_it_says(self, said: list[bytes], welcomed: bool) -> None:
        self.survives(said, plain=True, welcomed=welcomed)

    def test_of_a_text_without_an_end_the_beginning_is_shown(self) -> None:
        desk = Desk(plain=True)
        self.addCleanup(desk.goes)
        desk.server.accepts()
        desk.server.welcomes("alice")
        desk.sees()
        desk.server.says("message", id=1, room="#lobby", from_="bob", text="x" * 1_000_000)
        desk.server.shows_room("#dev", *(f"n{number}" for number in range(100_000)))
        said, room = desk.sees()
        self.assertTrue(said.endswith("xxx\u2026"))
        self.assertLess(len(said), 20_000)
        self.assertTrue(room.endswith(", n499 and 99500 more (100000)"))

    @settings(deadline=None, max_examples=60)
    @given(st.lists(lines, max_size=6), st.booleans())
    def test_a_script_survives_whatever_it_says(self, said: list[bytes], welcomed: bool) -> None:
        self.survives(said, plain=False, welcomed=welcomed)

    @settings(deadline=None)
    @given(objects)
    def test_an_object_is_printed_as_it_is(self, thing: dict[str, Any]) -> None:
        self.assertEqual(repr(json.loads(as_json(thing))), repr(thing))

    def test_it_may_nest_deeply(self) -> None:
        for depth in range(860, 1000):
            nested = "[" * depth + "]" * depth
            line = f'{{"event":"state","room":{nested},"members":{nested},"time":{nested}}}'
            self.survives([line.encode()], plain=False, welcomed=True)

    def test_a_line_without_end_is_passed_over(self) -> None:
        desk = Desk(plain=True)
        self.addCleanup(desk.goes)
        desk.server.accepts()
        desk.server.sends(b"{" * 17 * 2**20 + b"\n")
        desk.server.welcomes("alice")
        self.assertEqual(len(desk.sees()), 2)
