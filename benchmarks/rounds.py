"""Rounds: every server once in each, in turn, so that a noisy machine is noisy for all of them."""

import sys
import time

from benchmarks.cases import CASES, Counters, Run
from benchmarks.generator import Step, Unavailable
from benchmarks.servers import Server


def interleaved(
    name: str, servers: list[Server], rounds: int, minutes: int = 5
) -> tuple[dict[str, list[Counters]], dict[str, list[Step]]]:
    """Run one case at every server, sides interleaved, and give counters and steps by server.

    Args:
        name: the case.
        servers: who is measured; who cannot be is named once and left out.
        rounds: how often each.
        minutes: how long a soak is.
    """
    found: dict[str, list[Counters]] = {}
    steps: dict[str, list[Step]] = {}
    out: set[str] = set()
    for turn in range(rounds):
        for server in servers:
            if server.name in out:
                continue
            run, began = Run(server, minutes), time.monotonic()
            try:
                counters = CASES[name].measure(run)
            except Unavailable as reason:
                out.add(server.name)
                print(f"{name}: skipped: {reason}", file=sys.stderr)
                continue
            found.setdefault(server.name, []).append(counters)
            steps.setdefault(server.name, []).extend(run.steps)
            took = time.monotonic() - began
            print(f"{name} {turn + 1}/{rounds} {server.name}: {took:.0f} s", file=sys.stderr)
    return found, steps
