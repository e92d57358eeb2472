"""`python -m tests.cluster.plant [NAMES]`: plants faults in copies of the program, to be found.

Each is a mistake that would be easy to make. Real servers with the mistake run under the faults
that bring it to light, and the checker has to find something.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from tests.e2e.server import ROOT


class Plant(NamedTuple):
    """A mistake.

    Args:
        what: what it is, in a sentence.
        file: where it is made.
        old: what stands there.
        new: what stands there instead.
        faults: what brings it to light.
        seconds: for how long.
    """

    what: str
    file: str
    old: str
    new: str
    faults: str
    seconds: int


PLANTS = {
    "nothing": Plant(
        "Nothing is wrong, and nothing must be found.",
        "__init__.py",
        '"""',
        '"""',
        "crash,hangup",
        30,
    ),
    "unsynced": Plant(
        "What is stored is not on the disk yet when it is shown.",
        "stores/postgres/functions.py",
        "IF departed IS NULL AND NOT work ? 'is_kept' THEN",
        "IF true THEN",
        "crash",
        30,
    ),
    "own-first": Plant(
        "What a server has stored is shown when it is committed, and not when it is heard.",
        "stores/postgres/hearing.py",
        "        for item in heard:\n            if isinstance(item, CaughtUp):",
        "        if own is not None:\n            self._show_own(own)\n"
        "        for item in heard:\n            if isinstance(item, CaughtUp):",
        "hangup",
        10,
    ),
    "grave-digger": Plant(
        "Whoever comes first after an outage gives up all the others.",
        "stores/postgres/functions.py",
        "IF work ? 'renews' AND NOT is_late AND known.since < clock_timestamp() - lease THEN",
        "IF work ? 'renews' THEN",
        "coma",
        20,
    ),
}


def main(names: list[str]) -> int:
    """Plant these, or all; 1 if one is not found, or something without any."""
    missed = 0
    for name in names or PLANTS:
        plant = PLANTS[name]
        status, last = tried(plant)
        word = {0: "nothing is found", 1: "found"}.get(status, f"failed with {status}")
        print(f"{name}: {word}: {plant.what}\n    {last}", flush=True)
        missed += status != (name != "nothing")
    return bool(missed)


def tried(plant: Plant) -> tuple[int, str]:
    """Run the program with a mistake; gives its status, and what it says of it."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder)
        for part in ("twisted_chat", "twisted", "tests"):
            shutil.copytree(ROOT / part, copy / part, ignore=shutil.ignore_patterns("__pycache__"))
        path = copy / "twisted_chat" / plant.file
        text = path.read_text()
        if text.count(plant.old) != 1 and plant.old != plant.new:
            return 3, f"there is no {plant.old!r} in {plant.file} any more"
        path.write_text(text.replace(plant.old, plant.new))
        options = ("--minutes", str(plant.seconds / 60), "--seed", "1", "--faults", plant.faults)
        done = subprocess.run(
            [sys.executable, "-m", "tests.cluster", *options, "--save", str(copy / "transcripts")],
            cwd=copy,
            env=os.environ | {"PYTHONPATH": folder},
            capture_output=True,
            text=True,
            check=False,
        )
        said = done.stdout.splitlines() or done.stderr.splitlines()[-3:]
        return done.returncode, "\n    ".join(line[:200] for line in [*said[-6:-4], *said[-1:]])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
