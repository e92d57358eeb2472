"""What happens next, out of one seed."""

from collections.abc import Callable, Iterator
from functools import partial
from random import Random
from typing import Any

from tests.world import faults, offices, races, recipes  # noqa: F401 - what they know can happen
from tests.world.actions import Action
from tests.world.court import KEY, OPERATOR
from tests.world.doings import RUBBISH
from tests.world.header import COURTS
from tests.world.offices import DECISIONS, FALSE
from tests.world.world import World
from twisted_chat.limits import Pace

NICKNAMES = ("alice", "bob", "carol", "dave", "zed", "eve", "Alice")
ROOMS = ("#lobby", "#dev", "#tea", "#old", "#a1", "#b2", "#c3", "#d4")
_ENDS = ("the server is killed", "the line breaks")
_ABOUT = ("/rooms", "/users #court", "/whois ada", "/settings", "/bans", "/history", "/hands")
_KEYS = ("", "", "", "", KEY, "simsim")
_WAYS = ("quits", "breaks", "closes", "leaves")
HOSTS = ("10.0.0.5", "10.0.0.6")


class Chance:
    """Chooses what happens, for a world of its kind.

    Args:
        world: where it happens.
        seed: of everything that is chosen.
    """

    def __init__(self, world: World, seed: int) -> None:
        self._world = world
        self._random = Random(f"chance {seed}")
        self._rooms = self._random.sample(ROOMS, self._random.choice((2, 4, 8)))
        families = world.header.families
        choices: list[tuple[str, float, Callable[[], Action]]] = [
            (family, weight, choose)
            for family, weight, choose in self._choices()
            if not family or family in families
        ]
        self._choose = [choose for _, _, choose in choices]
        self._weights = [
            weight * self._random.choice((0.3, 1, 1, 3)) for _, weight, choose in choices
        ]

    def __iter__(self) -> Iterator[Action]:
        """What happens, without an end."""
        while True:
            yield self._random.choices(self._choose, self._weights)[0]()

    def _who(self) -> int:
        """Somebody who can do something, if anybody can."""
        people = self._world.people
        here = [who for who in people if who.visit is not None and who.visit.is_open]
        able = [who for who in here if who.visit is not None and who.visit.is_named]
        return self._random.choice(able or here or people).index

    def _token(self, kind: str) -> str:
        return f"{kind}{self._world.oracle.step + 1}"  # the veteran has said 0

    def _nickname(self) -> str:
        return self._random.choice(NICKNAMES)

    def _room(self) -> str:
        return self._random.choice(self._rooms)

    def _joins(self) -> Action:
        who = self._world.people[self._who()]
        mine = list(who.rooms) if self._random.random() < 0.3 else []
        return "joins", who.index, self._random.choice(mine or self._rooms)

    def _leaves(self) -> Action:
        who = self._world.people[self._who()]
        return "leaves", who.index, self._random.choice(["", "", *who.rooms, self._room()])

    def _comes(self) -> Action:
        people = self._world.people
        away = [who for who in people if who.visit is None or not who.visit.is_open]
        nameless = [who for who in people if who.visit and who.visit.is_open]
        nameless = [who for who in nameless if who.visit and not who.visit.is_named]
        if nameless and (not away or self._random.random() < 0.3):
            return "answers", self._random.choice(nameless).index, self._nickname()
        who = self._random.choice(away if away and self._random.random() < 0.9 else people)
        name = who.wish if self._random.random() < 0.8 else self._nickname()
        resume = who.is_program and self._random.random() < 0.8
        return "connects", who.index, name, resume

    def _talks(self, name: str, kind: str = "m") -> Action:
        who = self._world.people[self._who()]
        room = self._random.choice(["", "", *who.rooms]) if who.is_program else ""
        return name, who.index, self._token(kind), room

    def _whispers(self) -> Action:
        count = self._random.choice((1, 1, 1, 2, 3))
        nicknames = ",".join(self._random.sample(self._present(), count))
        return "whispers", self._who(), nicknames, self._token("w")

    def _present(self) -> list[str]:
        present = [who.nickname for who in self._world.people if who.nickname]
        return [*dict.fromkeys(present), *NICKNAMES[:4]]

    def _history(self) -> Action:
        how: dict[str, Any] = {"limit": self._random.choice((1, 3, 50, 300))}
        which = self._random.choice(("before", "after", ""))
        if which:
            how[which] = self._random.randrange(40)
        if self._random.random() < 0.7:
            how["room"] = self._random.choice(("#lobby", "#lobby", "#dev", "@"))
        return "asks_history", self._who(), how

    def _limits(self) -> Action:
        limits = {
            "pace": self._random.choice((None, Pace(2, 1), Pace(20, 5))),
            "entry_history": self._random.choice((2, 20)),
            "history_lines": self._random.choice((3, 200)),
            "waiting_lines": self._random.choice((2, 20)),
        }
        return "hangup", limits

    def _choices(self) -> Iterator[tuple[str, float, Callable[[], Action]]]:
        chance, who = self._random, self._who
        later = partial(chance.choice, (0.5, 30.0))
        yield "", 40, lambda: ("turn", chance.randrange(8))
        yield "", 5, lambda: ("passes", chance.choice((0.01, 0.3, 0.3, 1.1, 2.5, 5.0)))
        yield "", 0.5, lambda: ("passes", chance.choice((31.0, 70.0, 400.0)))
        yield "slow", 15, lambda: ("disk_works", 0)
        yield "slow", 15, lambda: ("disk_is_heard", 0)
        yield "slow", 8, lambda: ("disk_works", chance.randrange(1, 3))
        yield "slow", 8, lambda: ("disk_is_heard", chance.randrange(1, 3))
        yield "full", 1, lambda: ("disk_is_full", chance.choice(("begin", "rows", "commit")))
        yield "full", 3, lambda: ("disk_has_room",)
        yield "unreadable", 1, lambda: ("disk_is_unreadable",)
        yield "unreadable", 2, lambda: ("disk_is_readable",)
        yield "kill", 0.7, lambda: ("kill",)
        yield "stop", 0.4, lambda: ("stop",)
        yield "", 2, lambda: ("rest",)
        yield "kill", 0.3, lambda: ("all_return", "the server is killed", self._token("m"))
        yield "stop", 0.3, lambda: ("all_return", "the server is stopped", self._token("m"))
        yield "break", 0.3, lambda: ("all_return", "all lines break", self._token("m"))
        yield "ignore", 0.5, self._ignored_in_disguise
        yield "", 0.5, lambda: ("says_goodbye", who(), self._token("q"), chance.choice(_WAYS))
        yield "rooms", 0.3, lambda: ("reopens", who(), self._token("m"))
        yield "crowd", 0.5, lambda: ("class_comes",)
        yield "flood", 0.8, lambda: ("say_much_together", who(), who(), self._token("m"))
        yield "", 0.5, lambda: ("asks_since", who(), chance.choice((1, 5, 40)))
        yield "flood", 0.3, lambda: ("asks_much", who())
        yield "again", 0.3, lambda: ("leaves_twice", who(), chance.choice(_ENDS))
        yield "whisper", 0.03, self._whispers_into_a_reset
        yield "kill", 0.8, lambda: ("renames_and_dies", who(), self._nickname())
        yield "slow", 0.8, lambda: ("asks_too_early", who(), who(), self._token("m"))
        yield "full", 0.8, lambda: ("waits_beside_a_failure", who(), who(), self._token("m"))
        yield "full", 0.5, lambda: ("quits_beside_a_failure", who(), self._token("m"))
        yield "full", 0.5, lambda: ("comes_on_a_full_disk", who(), self._token("m"))
        yield "break", 0.8, lambda: ("is_displaced", who(), who(), self._token("w"))
        yield "rooms", 0.8, lambda: ("leaves_between", who(), who(), self._token("m"))
        yield "rooms", 0.8, lambda: ("comes_back_and_rejoins", who(), who(), self._token("m"))
        yield "unread", 2, self._sleeps
        yield (
            "unread",
            0.8,
            lambda: ("quits_unread", who(), later(), self._token("m")),
        )
        yield "unread", 0.8, lambda: ("says_nothing",)
        yield "break", 0.8, lambda: ("quits_and_breaks", who(), self._nickname(), self._token("w"))
        yield "break", 0.8, lambda: ("says_last", who(), self._token("m"))
        yield "clock", 0.7, lambda: ("clock", chance.choice((-240.0, -3700.0, 60.0, 90000.0)))
        yield "hangup", 0.7, self._limits
        yield "keep", 0.7, lambda: ("forget", chance.choice((1.0, 30.0, 3600.0)))
        yield "ban", 0.3, lambda: ("ban", chance.choice(HOSTS))
        yield "ban", 0.5, lambda: ("ban", "nobody")
        yield "quiet", 0.2, lambda: ("quiet",)
        yield "", 20, self._comes
        yield "", 25, lambda: self._talks("says")
        yield "", 4, lambda: self._talks("does")
        yield "", 3, lambda: self._talks("topic")
        yield "whisper", 10, self._whispers
        yield "whisper", 0.5, self._whispers_much
        yield "whisper", 2, lambda: ("replies", who(), self._token("w"))
        yield "unshowable", 1, lambda: ("says_unshowable", who(), self._token("x"))
        yield "", 1, lambda: ("goes_away", who(), self._token("a"))
        yield "", 1, lambda: ("comes_back", who())
        yield "rename", 4, lambda: ("renames", who(), self._nickname())
        yield "rooms", 6, self._joins
        yield "rooms", 3, self._leaves
        yield "ignore", 3, lambda: ("ignores", who(), chance.choice(self._present()))
        yield "ignore", 1, lambda: ("unignores", who(), chance.choice(self._present()))
        yield "", 1, lambda: ("asks_users", who(), chance.choice(("", "#lobby")))
        yield "", 3, lambda: ("asks_time", who())
        yield "", 4, self._history
        if self._world.citizens:
            yield from self._citizens_choices()
        yield "again", 6, lambda: ("sends_again", who(), chance.choice((0, 0, 0, 1, 2, 7)))
        yield "flood", 1, lambda: ("floods", who(), self._token("m"), chance.choice((5, 30, 80)))
        yield "rubbish", 3, lambda: ("types_rubbish", who(), chance.randrange(len(RUBBISH)))
        yield "rubbish", 0.5, lambda: ("guesses", who())
        yield "telnet", 1, lambda: ("negotiates", who())
        yield "telnet", 1, lambda: ("negotiates_endlessly", who())
        yield "unread", 3, lambda: ("stops_reading", who(), chance.choice((1, 200, 3000)))
        yield "unread", 3, lambda: ("reads_again", who())
        yield "crowd", 2, lambda: ("drips", who(), chance.choice((0, 1, 7)))
        yield "", 2, lambda: ("half_closes", who())
        yield "", 2, lambda: ("quits", who(), self._token("q"))
        yield "", 1.5, lambda: ("closes", who())
        yield "break", 3, lambda: ("breaks", who())
        yield "break", 1, lambda: ("breaks_off", who(), self._token("m"))

    def _citizens_choices(self) -> Iterator[tuple[str, float, Callable[[], Action]]]:
        chance, who = self._random, self._citizen
        room, anybody = partial(chance.choice, COURTS), partial(chance.choice, self._world.citizens)
        yield "", 15, lambda: ("comes_in", anybody().index)
        yield "", 2, lambda: ("says_hello_again", anybody().index)
        yield "", 1, lambda: ("comes_falsely", anybody().index, chance.choice(FALSE))
        yield "", 1, lambda: ("logs_in", who(), anybody().wish)
        yield "rename", 2, lambda: ("renames", who(), anybody().wish)
        yield "", 5, lambda: ("registers", who())
        yield (
            "",
            0.5,
            lambda: ("chooses_password", who(), f"password number {chance.randrange(9**9)}"),
        )
        yield "", 1, lambda: ("logs_out", who())
        yield "", 1, lambda: ("logs_out_for_good", who())
        yield "", 0.5, lambda: ("ends_device", who(), chance.randint(1, 3))
        yield (
            "",
            12,
            lambda: ("enters", who(), room(), chance.choice(("", "", "", "", KEY, "simsim"))),
        )
        yield "", 12, lambda: ("says", who(), self._token("c"), room())
        yield "", 2, lambda: ("does", who(), self._token("c"), room())
        yield "", 3, lambda: ("says", who(), self._token("m"), "#lobby")
        yield "", 1, lambda: ("leaves", who(), room())
        yield "order", 20, lambda: ("decides", who(), self._decision(), room())
        yield "order", 1, lambda: ("topic", who(), self._token("t"), room())
        yield "order", 1, lambda: ("asks_about", who(), chance.choice(_ABOUT))
        yield "kill", 0.8, lambda: ("decides_and_dies", who(), self._decision(), room())
        yield "", 0.8, self._comes_while_another_goes
        yield "order", 3, self._keeps_out
        yield "order", 0.5, lambda: ("administers", who())
        yield "", 6, self._is_judged
        yield "kill", 1, lambda: ("stays", who(), self._token("q"))
        yield "whisper", 6, self._whispers_to_citizens
        yield "break", 3, lambda: ("breaks", who())
        yield "", 1, lambda: ("closes", who())
        yield "", 1, lambda: ("quits", who(), self._token("q"))
        yield "unread", 1, lambda: ("stops_reading", who(), chance.choice((1, 200, 3000)))
        yield "unread", 2, lambda: ("reads_again", who())
        yield "crowd", 1, lambda: ("drips", who(), chance.choice((0, 1, 7)))

    def _citizen(self) -> int:
        """A citizen who can do something, if any can."""
        citizens = self._world.citizens
        able = [who for who in citizens if who.visit and who.visit.is_open and who.visit.is_named]
        return self._random.choice(able or citizens).index

    def _decision(self) -> str:
        name = self._random.choice(self._world.citizens).wish
        return self._random.choice(DECISIONS).format(name)

    def _comes_while_another_goes(self) -> Action:
        chance, citizens = self._random, self._world.citizens
        one, two = chance.choice(citizens).index, chance.choice(citizens).index
        how = chance.choice(("quits", "breaks", "logs out"))
        return "comes_while_another_goes", one, two, self._citizen(), how

    def _is_judged(self) -> Action:
        chance, citizens = self._random, self._world.citizens
        room = chance.choice(COURTS)
        court = self._world.oracle.law.court(room)
        judge = chance.choice(
            [who for who in citizens if court.rank(who.person) >= OPERATOR] or citizens
        )
        others = [who for who in citizens if who.wish != judge.wish]
        lines = DECISIONS if chance.random() < 0.3 else [each for each in DECISIONS if "{" in each]
        how = chance.choice(("at once", "once that is stored", "and the server is killed"))
        what = chance.choice(lines), room, how, self._token("c")
        return "is_judged", judge.index, chance.choice(others).index, *what

    def _keeps_out(self) -> Action:
        chance = self._random
        how = chance.choice(("waits", "the server is killed before it hears of that"))
        index, citizens = self._citizen(), self._world.citizens
        others = [who for who in citizens if who.wish != self._world.somebody(index).wish]
        whom = chance.choice([*others, *others, *self._world.people]).wish
        ban = f"/ban --server {whom}"
        line = chance.choice(("/lockdown new", "/lockdown all", ban, ban))
        return "keeps_out", index, line, how, self._token("m")

    def _whispers_to_citizens(self) -> Action:
        citizens = self._world.citizens
        names = dict.fromkeys(who.wish for who in self._random.sample(citizens, 2))
        who = self._citizen() if self._random.random() < 0.7 else self._who()
        return "whispers", who, ",".join(names), self._token("w")

    def _ignored_in_disguise(self) -> Action:
        name = self._random.choice(("masked", "hidden", "veiled"))
        tokens = self._token("m"), self._token("w")
        return "ignored_in_disguise", self._who(), self._who(), name, *tokens

    def _sleeps(self) -> Action:
        here = [who for who in self._world.people if who.visit and who.visit.is_open]
        programs = [who for who in here if who.is_program] or self._world.people
        sleeper = self._random.choice(programs)
        others = [who for who in here if who is not sleeper] or self._world.people
        return "sleeps", sleeper.index, self._random.choice(others).index, self._token("m")

    def _whispers_into_a_reset(self) -> Action:
        return "whispers_into_a_reset", self._who(), self._who(), self._token("w")

    def _whispers_much(self) -> Action:
        count = self._random.choice((20, 200))
        return "whispers_much", self._who(), self._nickname(), self._token("w"), count
