"""`python -m benchmarks.compare OLD [NEW]`: whether a change costs speed.

Both revisions are run as they were committed, each in a folder of its own; NEW is the working tree
where it is left out. The benchmarks themselves are those of the working tree.
"""

import argparse
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from benchmarks import generator
from benchmarks.cases import CASES, Counters
from benchmarks.generator import Unavailable
from benchmarks.rounds import interleaved
from benchmarks.servers import PROJECT, ours
from benchmarks.table import remarks, table

_CASES = ("quick", "one", "talk")
_NOTICED = 1.1
"""Less than this is what two runs of the same revision differ by."""


@contextmanager
def checked_out(revision: str) -> Iterator[Path]:
    """A revision's files in a temporary folder; "." is the working tree."""
    if revision == ".":
        yield PROJECT
        return
    git = ["git", "-C", str(PROJECT), "worktree"]
    with tempfile.TemporaryDirectory(prefix="twisted-chat-revision-") as folder:
        tree = Path(folder) / "tree"
        words = [*git, "add", "--quiet", "--detach", str(tree), revision]
        result = subprocess.run(words, capture_output=True, text=True, check=False)
        if result.returncode:
            raise Unavailable(result.stderr.strip())
        try:
            yield tree
        finally:
            subprocess.run([*git, "remove", "--force", str(tree)], check=False)


def slower(old: list[Counters], new: list[Counters]) -> Iterator[str]:
    """The counters that got worse by more than chance: the rounds do not even overlap."""
    for name in old[0]:
        before = [run[name] for run in old if name in run]
        after = [run[name] for run in new if name in run]
        if not before or not after:
            continue
        if "deliveries" not in name:  # a time: less is better
            before, after = after, before
        if max(after) < min(before) and median(before) > _NOTICED * median(after):
            yield name


def main() -> int:
    """Compare; 1 if anything got slower, 2 if that cannot be said."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.compare", description=__doc__)
    parser.add_argument("old", metavar="OLD", help="a revision that git knows")
    parser.add_argument("new", metavar="NEW", nargs="?", default=".")
    parser.add_argument("--cases", default=",".join(_CASES), help=f"of: {', '.join(CASES)}")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--memory", action="store_true", help="without the database")
    asked = parser.parse_args()
    cases = asked.cases.split(",")
    for unknown in set(cases) - set(CASES):
        parser.error(f"there is no {unknown}")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that no server stays behind
    worse = []
    try:
        generator.compiled()
        with checked_out(asked.old) as old_tree, checked_out(asked.new) as new_tree:
            old = ours(asked.old, memory=asked.memory, tree=old_tree)
            name = "working tree" if asked.new == "." else asked.new
            new = ours(
                f"{name} again" if name == old.name else name, memory=asked.memory, tree=new_tree
            )
            for case in cases:
                found, steps = interleaved(case, [old, new], asked.rounds)
                if len(found) < 2:
                    return 2
                print(table(CASES[case].title, found, old.name), end="\n\n")
                for server in found:
                    print("\n".join(f"- {remark}" for remark in remarks(server, steps[server])))
                worse += [f"{case}: {name}" for name in slower(found[old.name], found[new.name])]
    except Unavailable as reason:
        print(reason, file=sys.stderr)
        return 2
    print("Slower: " + "; ".join(worse) if worse else "Nothing got slower.")
    return bool(worse)


if __name__ == "__main__":
    sys.exit(main())
