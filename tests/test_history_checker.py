"""The checker of histories finds what is wrong in transcripts, and nothing in right ones."""

import contextlib
import io
from collections.abc import Callable
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from tests.cluster import check
from tests.cluster.history import figures, findings
from tests.cluster.made_up import MadeUp
from tests.cluster.transcript import Event, Line, Story, is_stored

NAMES = ("ann", "ben", "cleo")
ROOMS = ("#lobby", "#dev")


def a_day() -> MadeUp:
    """Three people on three servers, who talk; one of them resumes on another server."""
    chat = MadeUp()
    for number, name in enumerate(NAMES):
        chat.comes(name, f"node {number}", *ROOMS)
    for number in range(4):
        chat.says(NAMES[number % 3], "#lobby", f"line {number}")
    chat.comes("dan", "node 0", "#lobby")
    chat.says("dan", "#lobby", "hello")
    chat.goes_away("dan", "lunch")
    chat.drops("cleo")
    chat.says("ann", "#lobby", "while cleo is gone")
    chat.is_refused("ann", "#lobby", "never stored")
    chat.resumes("cleo", "node 0")
    chat.renames("ben", "benjamin")
    chat.whispers("ann", "psst")
    chat.whispers("ann", "psst again")
    chat.leaves("dan")
    for number in range(4, 8):
        chat.says(NAMES[number % 3], "#lobby", f"line {number}")
    return chat


def kinds(story: Story) -> set[str]:
    return {finding.kind for finding in findings(story)}


def all_seen(story: Story, who: str, room: str) -> list[int]:
    """Where in a transcript the stored events of a room are."""
    return [
        index
        for index, line in enumerate(story.people[who])
        if line.kind == "got" and is_stored(line.what) and line.what["room"] == room
    ]


def live(story: Story, who: str, room: str = "#lobby") -> list[int]:
    """Where in a transcript the stored events of a room are that came live."""
    lines = story.people[who]
    return [index for index in all_seen(story, who, room) if "replayed" not in lines[index].what]


def found(story: Story, who: str, **wanted: object) -> int:
    """Where in a transcript the last object is with these values."""
    lines = story.people[who]
    return max(
        index
        for index, line in enumerate(lines)
        if line.kind == "got" and wanted.items() <= line.what.items()
    )


class PlantedTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.chat = a_day()
        self.story = self.chat.story
        self.assertEqual(findings(self.story), [])

    def changes(self, who: str, index: int, **more: object) -> None:
        line = self.story.people[who][index]
        self.story.people[who][index] = line._replace(what={**line.what, **more})

    def is_told(self, who: str, event: Event) -> None:
        lines = self.story.people[who]
        lines.append(Line(lines[-1].at, "got", {"time": 0, "room": "#lobby", **event}))

    def finds(self, kind: str, *words: str) -> None:
        texts = [finding.text for finding in findings(self.story) if finding.kind == kind]
        for word in words:
            self.assertTrue(any(word in text for text in texts), f"{word!r} is not in {texts}")

    def test_an_acknowledged_line_is_missing(self) -> None:
        del self.story.final["#lobby"][-1]
        self.finds("missing", "ben's line 'line 7'", "acknowledged as [11]")

    def test_a_line_is_there_twice(self) -> None:
        last = self.story.final["#lobby"][-1]
        self.story.final["#lobby"].append(last | {"id": last["id"] + 1})
        self.finds("twice", "'line 7'", "[11, 12]")

    def test_a_line_of_which_nobody_knows_what_became_may_be_there_once(self) -> None:
        self.chat.sends("ann", "#lobby", "who knows")
        self.assertEqual(kinds(self.story), set())
        said = {"event": "message", "time": 0, "room": "#lobby", "from": "ann", "text": "who knows"}
        self.story.final["#lobby"].append(said | {"id": 12})
        self.assertEqual(kinds(self.story), set())
        self.story.final["#lobby"].append(said | {"id": 13})
        self.finds("twice", "'who knows'")

    def test_a_refused_line_is_there(self) -> None:
        said = {"event": "message", "time": 0, "room": "#lobby", "from": "ann"}
        self.story.final["#lobby"].append(said | {"id": 12, "text": "never stored"})
        self.finds("refused", "'never stored'", "not-stored", "[12]")

    def test_a_line_that_was_said_twice_and_refused_once_may_be_there(self) -> None:
        ref = self.chat.sends("ann", "#lobby", "in doubt")
        sent = self.story.people["ann"][-1]
        error = {"event": "error", "code": "not-stored", "ref": ref}
        self.story.people["ann"] += [sent, Line(sent.at, "got", error)]
        said = {"event": "message", "time": 0, "room": "#lobby", "from": "ann", "text": "in doubt"}
        self.story.final["#lobby"].append(said | {"id": 12})
        self.assertEqual(kinds(self.story), set())

    def test_a_line_stands_elsewhere_than_its_speaker_was_told(self) -> None:
        index = found(self.story, "ann", text="line 6")
        self.changes("ann", index, id=self.story.people["ann"][index].what["id"] + 1)
        self.finds("moved", "ann's line 'line 6'")

    def test_somebody_saw_a_gap(self) -> None:
        del self.story.people["ann"][live(self.story, "ann")[4]]
        self.finds("gap", "ann (on node 0) saw 6")

    def test_somebody_who_resumed_missed_something(self) -> None:
        index = found(self.story, "cleo", replayed=True, text="while cleo is gone")
        del self.story.people["cleo"][index]
        self.finds("gap", "cleo (on node 0)")

    def test_a_gap_that_somebody_was_told_of_is_none(self) -> None:
        lines = self.story.people["ann"]
        index = live(self.story, "ann")[4]
        missed = {"event": "missed", "room": "#lobby", "count": 1}
        lines[index] = lines[index]._replace(what=missed)
        self.assertNotIn("gap", kinds(self.story))
        lines[index] = lines[index]._replace(what=missed | {"count": 2})
        self.finds("gap", "ann")

    def test_somebody_saw_something_again(self) -> None:
        lines = self.story.people["ben"]
        index = live(self.story, "ben")[3]
        lines.insert(index + 1, lines[index])
        self.finds("repeat", "ben (on node 1)")

    def test_somebody_saw_another_order(self) -> None:
        one, two = live(self.story, "ben")[-2:]
        lines = self.story.people["ben"]
        texts = [lines[index].what["text"] for index in (one, two)]
        for index, text in zip((two, one), texts, strict=True):
            lines[index] = lines[index]._replace(what=lines[index].what | {"text": text})
        self.assertTrue({"order", "unknown"} & kinds(self.story))

    def test_two_events_changed_places(self) -> None:
        final = self.story.final["#lobby"]
        final[-1], final[-2] = final[-2] | {"id": 11}, final[-1] | {"id": 10}
        self.finds("order", "cleo (on node 0) saw message", "the history has it as")

    def test_somebody_saw_what_is_not_in_the_history(self) -> None:
        self.is_told("ben", {"event": "message", "id": 12, "from": "ann", "text": "a ghost"})
        self.finds("unknown", "message ann a ghost as 12", "no such number")

    def test_somebody_saw_another_text(self) -> None:
        self.changes("ben", live(self.story, "ben")[-1], text="forged")
        self.finds("unknown", "the history has message", "line 7")

    def test_somebodys_own_log_has_another_content(self) -> None:
        self.changes("ann", found(self.story, "ann", text="psst again"), text="pst")
        self.finds("unknown", "ann (on node 0) saw whisper x pst as 2 in @")

    def test_the_numbers_go_back(self) -> None:
        lines = self.story.people["dan"]
        index = live(self.story, "dan")[-1]
        lines[index] = lines[index]._replace(what=lines[index].what | {"id": 1})
        self.finds("back", "dan (on node 0) saw 1")

    def test_numbers_that_begin_anew_with_another_epoch_are_right(self) -> None:
        lines = self.story.people["ann"]
        at = lines[-1].at
        lines += [
            Line(at, "lost", True),
            Line(at, "on", "node 0"),
            Line(at, "got", {"event": "welcome", "nick": "ann", "epoch": "another"}),
        ]
        self.is_told("ann", self.story.final["#lobby"][0] | {"replayed": True})
        self.assertEqual(kinds(self.story), set())
        lines[-2] = lines[-2]._replace(what=lines[-2].what | {"epoch": "e"})
        self.finds("repeat", "ann")

    def test_the_history_has_a_hole(self) -> None:
        del self.story.final["#lobby"][3]
        self.finds("holes", "#lobby")

    def test_something_that_is_told_stands_in_another_place(self) -> None:
        index = found(self.story, "ben", event="away")
        lines = self.story.people["ben"]
        after = next(place for place in live(self.story, "ben") if place > index)
        lines.insert(after, lines.pop(index))
        self.assertEqual(kinds(self.story), {"told"})
        self.finds("told", "ben (on node 1) was told", "away dan lunch")

    def test_something_that_is_told_is_different(self) -> None:
        self.changes("ben", found(self.story, "ben", event="away"), text="dinner")
        self.finds("told", "away dan dinner", "away dan lunch")

    def test_what_is_told_before_the_next_state_may_be_left_out(self) -> None:
        index = found(self.story, "ben", event="away")
        lines = self.story.people["ben"]
        members = [{"nick": name} for name in (*NAMES, "dan")]
        state = {"event": "state", "room": "#lobby", "count": 4, "members": members}
        lines[index] = lines[index]._replace(what=state)
        self.assertEqual(kinds(self.story), set())

    def test_what_a_server_tells_while_it_catches_up_is_certain_from_the_next_state_on(
        self,
    ) -> None:
        lines = self.story.people["ben"]
        index = found(self.story, "ben", event="away")
        after = next(place for place in live(self.story, "ben") if place > index)
        at = lines[after].at
        members = [{"nick": name} for name in (*NAMES, "dan")]
        state = {"event": "state", "room": "#lobby", "count": 4, "members": members}
        lines.insert(after + 1, Line(at, "got", state))
        self.assertEqual(kinds(self.story), set())
        left_out = lines.pop(index)
        self.assertEqual(kinds(self.story), set())
        lines.insert(index, left_out)
        lines[after + 1] = Line(at + 10, "got", state)
        del lines[index]
        self.assertEqual(kinds(self.story), {"told"})

    def test_somebody_is_listed_twice(self) -> None:
        index = found(self.story, "cleo", event="state", room="#lobby")
        members = self.story.people["cleo"][index].what["members"]
        self.changes("cleo", index, members=[*members, members[0]], count=len(members) + 1)
        self.finds("here twice", "a list of #lobby has ann twice")

    def test_somebody_joins_who_is_there(self) -> None:
        self.is_told("ann", {"event": "join", "from": "Cleo"})
        self.finds("here twice", "cleo joins #lobby, and is in it")

    def test_somebody_leaves_twice(self) -> None:
        self.is_told("ann", {"event": "leave", "from": "dan"})
        self.finds("left twice", "dan leaves #lobby, but is not there")

    def test_somebody_gets_the_nickname_of_another(self) -> None:
        event = {"event": "rename", "from": "cleo", "to": "Benjamin"}
        self.is_told("ann", event | {"id": 12})
        self.finds("held by two", "cleo becomes benjamin in #lobby, which has one")

    def test_two_hold_one_nickname_at_once(self) -> None:
        self.chat.comes("eve", "node 2", "#dev")
        index = found(self.story, "eve", event="welcome")
        self.changes("eve", index, nick="ann")
        self.finds("held by two", "ann has the nickname ann", "and eve gets it")

    def test_two_devices_of_one_account_hold_one_nickname(self) -> None:
        self.chat.comes("eve", "node 2", "#dev")
        self.changes("ann", found(self.story, "ann", event="welcome"), account="ann")
        index = found(self.story, "eve", event="welcome")
        self.changes("eve", index, nick="ann", account="ann")
        self.assertNotIn("held by two", kinds(self.story))

    def test_somebody_is_here_of_whom_only_some_know(self) -> None:
        index = found(self.story, "cleo", event="state", room="#lobby")
        members = self.story.people["cleo"][index].what["members"]
        self.changes("cleo", index, members=[*members, {"nick": "ghost"}], count=len(members) + 1)
        self.finds("members", "cleo (on node 0) believes that ghost is here")

    def test_files_are_checked_by_the_command(self) -> None:
        path = Path(self.mktemp())
        told = io.StringIO()
        self.story.save(path)
        with contextlib.redirect_stdout(told):
            self.assertEqual(check.main([str(path)]), 0)
            del self.story.final["#lobby"][-1]
            self.story.save(path)
            self.assertEqual(check.main([str(path)]), 1)
            self.assertEqual(check.main([]), 2)
        self.assertIn("4 people, 5 connections; 11 lines said: 10 acknowledged, 1 re", figures(
            self.story))  # fmt: skip
        self.assertIn("missing: ben's line 'line 7'", told.getvalue())


STEPS = st.lists(
    st.tuples(
        st.sampled_from(
            ("say", "say", "say", "whisper", "drop", "resume", "refuse", "away", "rename", "leave")
        ),
        st.sampled_from(NAMES),
        st.sampled_from(ROOMS),
        st.integers(0, 2),
    ),
    max_size=40,
)


def played(steps: list[tuple[str, str, str, int]]) -> MadeUp:
    """The chat in which these things happen, as far as they can."""
    chat = MadeUp()
    for number, name in enumerate(NAMES):
        chat.comes(name, f"node {number}", *ROOMS)
    for number in range(6):  # so that there is something to get wrong
        chat.says(NAMES[number % 3], ROOMS[number % 2], f"first {number}")
    for number, (what, who, room, node) in enumerate(steps):
        if what in ("whisper", "leave", "resume"):
            if what == "whisper":
                chat.whispers(who, f"w{number}")
            elif what == "leave" and who in chat.on:
                chat.leaves(who)
            elif what == "resume" and who not in chat.on and who in chat.members[room]:
                chat.resumes(who, f"node {node}")
        elif who in chat.on:
            acts: dict[str, Callable[[], None]] = {
                "say": lambda w=who, r=room, n=number: chat.says(w, r, f"line {n}"),  # type: ignore[misc]
                "refuse": lambda w=who, r=room, n=number: chat.is_refused(w, r, f"no {n}"),  # type: ignore[misc]
                "drop": lambda w=who: chat.drops(w),  # type: ignore[misc]
                "away": lambda w=who, n=number: chat.goes_away(w, f"a{n}"),  # type: ignore[misc]
                "rename": lambda w=who, n=number: chat.renames(w, f"{w}{n}"),  # type: ignore[misc]
            }
            acts[what]()
    return chat


class AnyHistoryTests(SynchronousTestCase):
    @given(STEPS)
    @settings(max_examples=100, deadline=None)
    def test_nothing_is_found_in_what_is_right(
        self, steps: list[tuple[str, str, str, int]]
    ) -> None:
        self.assertEqual(findings(played(steps).story), [])

    @given(STEPS, st.data())
    @settings(max_examples=100, deadline=None)
    def test_an_event_that_is_left_out_given_twice_or_changed_is_found(
        self, steps: list[tuple[str, str, str, int]], data: st.DataObject
    ) -> None:
        story = played(steps).story
        places = [
            (who, index)
            for who in NAMES
            for room in (*ROOMS, "@")
            for index in all_seen(story, who, room)[1:-1]
        ]
        who, index = data.draw(st.sampled_from(places))
        lines = story.people[who]
        fault = data.draw(st.sampled_from(("gap", "repeat", "unknown")))
        if fault == "gap":
            del lines[index]
        elif fault == "repeat":
            lines.insert(index, lines[index])
        else:
            lines[index] = lines[index]._replace(what=lines[index].what | {"from": "nobody"})
        self.assertIn(fault, kinds(story))

    @given(STEPS, st.data())
    @settings(max_examples=50, deadline=None)
    def test_a_line_that_is_lost_is_found(
        self, steps: list[tuple[str, str, str, int]], data: st.DataObject
    ) -> None:
        story = played(steps).story
        room = data.draw(st.sampled_from(ROOMS))
        said = [event for event in story.final[room] if event["event"] == "message"]
        story.final[room].remove(data.draw(st.sampled_from(said)))
        self.assertIn("missing", kinds(story))
