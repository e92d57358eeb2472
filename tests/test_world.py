"""The world of `tests/world`: a few seeds of it, and that a seed is a whole world."""

import os
import subprocess
import sys
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

ROOT = Path(__file__).parent.parent


def world(*arguments: str) -> tuple[int, str]:
    """Run the world; its exit status, and what it says."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.world", *arguments],
        cwd=ROOT,
        env=os.environ | {"PYTHONHASHSEED": "0"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


class WorldTests(SynchronousTestCase):
    def test_nothing_is_found_in_a_few_worlds(self) -> None:
        status, said = world("--seeds", "1..25")
        self.assertEqual(status, 0, said)
        self.assertIn("25 worlds", said)

    def test_a_seed_is_a_whole_world(self) -> None:
        seeds = ("--seeds", "41..48", "--trace", "--only", "nothing")
        one, other = world(*seeds)[1], world(*seeds)[1]
        self.assertEqual(one.splitlines()[:8], other.splitlines()[:8])
        self.assertEqual(len(set(one.splitlines()[:8])), 8)
