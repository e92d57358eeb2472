"""`python -m benchmarks`: the servers side by side on this machine, as a table.

The server has one core and the load another. Ratios within a run mean more than its counters.
"""

import argparse
import json
import platform
import signal
import sys
from pathlib import Path

from benchmarks import generator
from benchmarks.cases import CASES, LADDERS, NODES
from benchmarks.generator import Unavailable
from benchmarks.plot import plot
from benchmarks.rounds import interleaved
from benchmarks.servers import SERVERS
from benchmarks.table import remarks, table


def main() -> int:
    """Run what is asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "cases",
        nargs="*",
        help=f"of: {', '.join(CASES)}; nodes for several servers (default: fanout)",
    )
    parser.add_argument("--quick", action="store_true", help="a short fan-out, in two minutes")
    parser.add_argument("--all", action="store_true", help="every case: about an hour")
    parser.add_argument("--servers", help=f"of: {','.join(SERVERS)} (default: all single ones)")
    parser.add_argument("--baseline", help="what ratios are against (default: the first server)")
    parser.add_argument("--rounds", type=int, help="how often each server is run")
    parser.add_argument("--minutes", type=int, default=5, help="how long the soak is")
    parser.add_argument("--save", type=Path, metavar="FILE", help="write all counters as JSON")
    parser.add_argument(
        "--plot", type=Path, metavar="FILE", help="draw each ladder to FILE-CASE (.svg, .png)"
    )
    asked = parser.parse_args()
    cases = asked.cases or (["quick"] if asked.quick else ["fanout"])
    if asked.all:
        cases = [name for name in CASES if name != "quick"]
    default = ",".join(name for name in SERVERS if SERVERS[name].processes == 1)
    if asked.quick:
        default = "tutorial,memory,sqlite"
    elif cases == ["nodes"]:
        cases, default = list(NODES), "sqlite,postgres,postgres-2,postgres-3,postgres-4,inspircd"
    names = (asked.servers or default).split(",")
    for unknown in [*(set(cases) - set(CASES)), *(set(names) - set(SERVERS))]:
        parser.error(f"there is no {unknown}")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that no server stays behind
    try:
        generator.compiled()
    except Unavailable as reason:
        print(reason, file=sys.stderr)
        return 1
    if len(set(generator.cores())) == 1:
        print("Only one core: server and load are in each other's way.", file=sys.stderr)

    runs = []
    for case in cases:
        rounds = asked.rounds or CASES[case].rounds
        found, steps = interleaved(case, [SERVERS[name] for name in names], rounds, asked.minutes)
        baseline = asked.baseline or next(iter(found), "")
        print(table(CASES[case].title, found, baseline))
        print()
        for server in found:
            runs.append(
                {"case": case, "server": server, "counters": found[server], "steps": steps[server]}
            )
            for remark in remarks(server, steps[server]):
                print(f"- {remark}")
        print(flush=True)
        if asked.plot and case in LADDERS:
            picture = asked.plot.with_stem(f"{asked.plot.stem}-{case}")
            print(plot(CASES[case].title, steps, picture), end="\n\n")
        if asked.save:  # after each case: a run of all of them is long
            machine = {"system": platform.platform(), "python": platform.python_version()}
            asked.save.write_text(json.dumps({"machine": machine, "runs": runs}, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
