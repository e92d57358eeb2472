"""`python -m tests.cluster`: several real servers, people who talk, and faults at random.

In the end, what everybody saw is checked. The transcripts are kept in a file.
"""

import argparse
import random
import sys
import tempfile
import time
from collections import Counter
from itertools import pairwise
from pathlib import Path

from tests.cluster.faults import QUICK, SLOW, Faults
from tests.cluster.history import figures, findings
from tests.cluster.transcript import Finding, Line, Story
from tests.e2e.cluster import Cluster
from tests.postgres import Engine

NAMES = ("ann", "ben", "cleo", "dora", "emil", "fay")
ROOMS = ("#lobby", "#dev")


def main() -> int:
    """Run; 1 if something is wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.cluster", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10, help="how long (default: 10)")
    parser.add_argument("--seed", type=int, help="repeats the choice of faults")
    parser.add_argument("--nodes", type=int, default=3, help="how many servers (default: 3)")
    known = ",".join((*QUICK, *SLOW))
    parser.add_argument("--faults", help=f"of: {known} (default: all, the slow ones seldom)")
    parser.add_argument("--save", type=Path, default=Path("transcripts.ndjson"), metavar="FILE")
    asked = parser.parse_args()
    seed = asked.seed if asked.seed is not None else random.randrange(1_000_000)
    names = asked.faults.split(",") if asked.faults else [*QUICK * 4, *SLOW]
    with tempfile.TemporaryDirectory() as folder:
        return run(Path(folder), asked.minutes * 60, seed, asked.nodes, names, asked.save)


def run(
    folder: Path, seconds: float, seed: int, nodes: int, names: list[str], transcripts: Path
) -> int:
    """Let people talk while faults happen, and check what they saw.

    Args:
        folder: where the servers run.
        seconds: how long.
        seed: of all that is left to chance.
        nodes: how many servers.
        names: the faults to choose from.
        transcripts: where what everybody saw is kept.
    """
    chance = random.Random(seed)
    engine = Engine()
    cluster = Cluster(folder, engine, count=nodes)
    story = Story()
    faults = Faults(cluster, chance)
    happened: Counter[str] = Counter()
    found: list[Finding] = []
    try:
        people = [cluster.brings(name, node) for node, name in enumerate(NAMES)]
        for person in people:
            person.does("/join #dev")
            for room in ROOMS:
                person.talks(room, 0.1)
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            _live(cluster, chance)
            name = chance.choice(names)
            happened[name] += 1
            print(f"{seconds - (end - time.monotonic()):.0f} s: {name}", flush=True)
            getattr(faults, name)()
            time.sleep(chance.uniform(0.2, 2))
            for person in people:
                person.says_until_stored(f"{person.who} after {sum(happened.values())} faults")
        for person in people:
            person.is_quiet()
        for room in ROOMS:
            cluster.crowd.all_see(room)
        story = cluster.crowd.story(*ROOMS)
    except AssertionError as problem:
        found.append(Finding("stuck", str(problem)))
        story = cluster.crowd.transcripts()
    finally:
        output = cluster.output
        away = max(each.longest_away for each in cluster.crowd.people.values())
        cluster.ends()
        engine.remove()
    story.save(transcripts)
    found += findings(story)
    found += [
        Finding("buried", f"{name} was not cut off alone, but ended") for name in faults.buried
    ]
    if "Traceback" in output:
        (transcripts.parent / "output").write_text(output)
        found.append(Finding("traceback", "a server's log has a traceback: see the file output"))
    for finding in found[:40]:
        print(f"{finding.kind}: {finding.text}")
    print(f"seed {seed}, {nodes} servers, {seconds:.0f} s: {figures(story)}")
    print(", ".join(f"{count} {name}" for name, count in happened.most_common()))
    print(f"longest pause {longest_pause(story):.1f} s, longest way to another server {away:.1f} s")
    print(f"{len(found)} findings {dict(Counter(finding.kind for finding in found))}")
    return bool(found)


def _live(cluster: Cluster, chance: random.Random) -> None:
    """Somebody comes, and goes, is away, or called otherwise: what is told has its place too."""
    visitor = f"visitor{chance.randrange(10**6)}"
    cluster.crowd.brings(visitor, cluster.addresses(chance.randrange(3))).is_let_in()
    person = cluster.crowd.people[visitor]
    person.sends(do="command", text="/join #dev")
    person.sends(do="command", text=f"/away {chance.randrange(100)}")
    person.sends(do="command", text=f"/nick {visitor}x")
    old = [name for name in cluster.crowd.people if name.startswith("visitor")][:-3]
    for name in old:
        if not cluster.crowd.people[name].why_over:
            cluster.crowd.people[name].sends(do="command", text="/quit")


def longest_pause(story: Story) -> float:
    """Seconds that somebody who was there all the time heard nothing."""
    longest = 0.0
    for who in NAMES:
        heard = [line.at for line in story.people.get(who, ()) if _is_heard(line)]
        pairs = pairwise(heard)
        longest = max([longest, *(after - before for before, after in pairs)])
    return longest


def _is_heard(line: Line) -> bool:
    return line.kind == "got" and line.what["event"] == "message"


if __name__ == "__main__":
    sys.exit(main())
