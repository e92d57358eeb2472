"""A run of a world: told as it happens, told again from its actions, and made short."""

import signal
import time
from collections.abc import Callable, Iterable, Iterator
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from random import Random

from tests.world.actions import Action, perform, told
from tests.world.chance import Chance
from tests.world.header import Header, chosen
from tests.world.oracle import Finding, Oracle
from tests.world.quiet import ends
from tests.world.world import World

PATIENCE = 20.0
"""Seconds that it may take to make a story short."""

LONGEST = 30
"""Seconds that a world may take: whoever turns in circles never comes to an end."""


class Endless(BaseException):
    """A world takes too long; no server catches this."""


@contextmanager
def _watched() -> Iterator[None]:
    def give_up(*_: object) -> None:
        raise Endless

    before = signal.signal(signal.SIGALRM, give_up)
    signal.alarm(LONGEST)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


@dataclass
class Story:
    """What happened in a world.

    Args:
        header: what kind of world it was.
        actions: what happened, each with the step that it had at first.
        finding: what should never have been, if anything.
        trace: stands for every byte that anybody was given.
        sentences: what happened, in words.
    """

    header: Header
    actions: list[tuple[int, Action]]
    finding: Finding | None
    trace: str
    sentences: list[str]


def tell(seed: int, wanted: Callable[[str], bool], off: AbstractSet[str] = frozenset()) -> Story:
    """What happens under a seed, but for some families of what may happen."""
    header = chosen(seed)
    header.families -= off
    length = Random(f"length {seed}").choice((60, 150, 300))
    return _run(header, wanted, None, length)


def retell(
    header: Header, actions: list[tuple[int, Action]], wanted: Callable[[str], bool]
) -> Story:
    """The same again from its actions, some of which may have been left out."""
    return _run(header, wanted, actions, 0)


def _run(
    header: Header,
    wanted: Callable[[str], bool],
    actions: list[tuple[int, Action]] | None,
    length: int,
) -> Story:
    done: list[tuple[int, Action]] = []
    sentences: list[str] = []
    finding: Finding | None = None
    world = World(header, Oracle(wanted))
    try:
        with _watched(), world:
            chosen_now: Iterable[tuple[int, Action]] = (
                enumerate(islice(Chance(world, header.seed), length), 1)
                if actions is None
                else actions
            )
            for step, action in chosen_now:
                world.oracle.step = step
                words = told(world, action)
                done.append((step, action))
                sentences.append(words)
                world.trace.update(words.encode())
                if not perform(world, action):
                    done.pop()
                    sentences.pop()
                world.oracle.tells()
            world.oracle.step += 1
            ends(world)
            world.oracle.tells()
    except Finding as found:
        finding = found
    except Endless:
        finding = Finding("endless", f"a world takes longer than {LONGEST} seconds")
    return Story(header, done, finding, world.trace.hexdigest(), sentences)


def shorten(story: Story, wanted: Callable[[str], bool]) -> Story:
    """The shortest story found in a while that ends in the same kind of finding."""
    assert story.finding is not None
    name = story.finding.name
    until = time.monotonic() + PATIENCE
    size = max(1, len(story.actions) // 2)
    while time.monotonic() < until:
        at, shorter = 0, False
        while at < len(story.actions) and time.monotonic() < until:
            fewer = story.actions[:at] + story.actions[at + size :]
            again = retell(story.header, fewer, lambda each: each == name and wanted(each))
            if again.finding is not None:
                story, shorter = again, True
            else:
                at += size
        if size == 1 and not shorter:
            break
        size = max(1, size // 2)
    return story
