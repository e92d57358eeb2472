"""Runs worlds: `python -m tests.world --seed 7 --steps 100000`, `--seconds 20`, `--seeds 1..99`."""

import argparse
import io
import itertools
import os
import secrets
import sys
import time
from collections.abc import Iterator
from itertools import groupby

from twisted.logger import globalLogBeginner

from tests.world.story import Story, shorten, tell


def main() -> int:
    """Do what the command line says, and give the exit status: 1 if anything was found."""
    chosen = _parser().parse_args()
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)  # whoever waits reads what is found
    globalLogBeginner.beginLoggingTo([], discardBuffer=True, redirectStandardIO=False)
    only, without = set(chosen.only or ()), set(chosen.without or ())
    began = time.process_time()
    steps = worlds = found = 0
    for seed in _seeds(chosen):
        if chosen.seconds is not None and time.process_time() - began > chosen.seconds:
            break
        if chosen.steps is not None and steps >= chosen.steps:
            break

        def wanted(name: str) -> bool:
            return name not in without and (not only or name in only)

        story = tell(seed, wanted, set(chosen.off or ()))
        if chosen.trace:
            print(f"seed {seed}: {len(story.actions)} steps, {story.trace}")
        steps, worlds = steps + len(story.actions), worlds + 1
        if story.finding is not None:
            found += 1
            print(f"seed {seed}: {story.finding}  ({time.process_time() - began:.1f} s)")
            if not chosen.long and story.finding.name != "endless":
                story = shorten(story, wanted)
            _print(story)
            if not chosen.go_on:
                break
            without.add(story.finding.name if story.finding else "")
    seconds = time.process_time() - began
    print(f"{worlds} worlds, {steps} steps, {steps / seconds:.0f} a second, {found} findings")
    return 1 if found else 0


def _print(story: Story) -> None:
    print(f"  {story.header}")
    steps = (
        (step, sentence) for (step, _), sentence in zip(story.actions, story.sentences, strict=True)
    )
    for sentence, same in groupby(steps, lambda each: each[1]):
        first, *others = (step for step, _ in same)
        print(f"  {first:4}. {sentence}{f', {len(others) + 1} times' if others else ''}")
    print(f"  -> {story.finding}")
    print(f"  again: python -m tests.world --seed {story.header.seed} --steps 1")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.world", description=__doc__)
    parser.add_argument("--seed", type=int, help="the first seed; without one, a fresh one")
    parser.add_argument("--seeds", help="these seeds, such as 1..1000")
    parser.add_argument("--steps", type=int, help="so many steps in all, in as many worlds")
    parser.add_argument("--seconds", type=float, help="for so long")
    parser.add_argument("--only", action="append", help="look for this kind of finding alone")
    parser.add_argument("--without", action="append", help="do not look for this kind")
    parser.add_argument("--off", action="append", help="a family of faults that does not happen")
    parser.add_argument("--long", action="store_true", help="do not make the story short")
    parser.add_argument("--go-on", action="store_true", help="go on after a finding of a kind")
    parser.add_argument("--trace", action="store_true", help="print what stands for every byte")
    return parser


def _seeds(chosen: argparse.Namespace) -> Iterator[int]:
    if chosen.seeds:
        first, _, last = chosen.seeds.partition("..")
        yield from range(int(first), int(last or first) + 1)
        return
    first = chosen.seed
    if first is None:
        first = secrets.randbelow(10**9)
        print(f"seeds from {first} on")
    if chosen.steps is None and chosen.seconds is None:
        yield first
    else:
        yield from itertools.count(first)


if __name__ == "__main__":
    if os.environ.get("PYTHONHASHSEED") != "0":
        os.environ["PYTHONHASHSEED"] = "0"
        os.environ["TZ"] = "UTC"
        os.execv(sys.executable, [sys.executable, "-m", "tests.world", *sys.argv[1:]])
    sys.exit(main())
