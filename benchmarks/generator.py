"""The load generator: compiled when it has changed, run on a core of its own."""

import hashlib
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

Step = dict[str, Any]
"""What the generator reports of one step."""

_SOURCE = Path(__file__).parent / "load.c"


class Unavailable(Exception):
    """Something that a benchmark needs is not on this machine; the text says what."""


def compiled() -> Path:
    """The generator's program, kept between runs in the user's cache folder."""
    parts = [_SOURCE, *sorted((_SOURCE.parent / "load").glob("*.h"))]
    version = hashlib.sha256(b"".join(part.read_bytes() for part in parts)).hexdigest()[:16]
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "twisted-chat"
    program = cache / f"load-{version}"
    if program.exists():
        return program
    compilers = (os.environ.get("CC", ""), "cc", "gcc", "clang")
    compiler = next(filter(shutil.which, compilers), None)
    if compiler is None:
        raise Unavailable("the load generator is in C: install a C compiler, such as gcc")
    cache.mkdir(parents=True, exist_ok=True)
    fresh = program.with_suffix(f".{os.getpid()}")  # another run may be compiling it too
    flags = ["-O2", "-std=gnu11", "-Wall", "-Wextra"]
    command = [compiler, *flags, "-o", str(fresh), str(_SOURCE), "-lm"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode:
        raise Unavailable(f"{' '.join(command)} failed:\n{result.stderr}")
    fresh.replace(program)
    return program


def cores() -> tuple[int, int]:
    """Which core is the server's and which is the load's; the same if there is only one."""
    free = sorted(os.sched_getaffinity(0))
    return free[0], free[-1]


def run(arguments: list[str], seconds: float) -> list[Step]:
    """Run the load and give its steps; those it finished, if its time is over before.

    Args:
        arguments: the generator's, see `load --help`.
        seconds: when it is stopped in any case.
    """
    mine = cores()[1]
    command = ["timeout", "-k", "1", str(seconds), str(compiled()), *arguments]
    result = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: os.sched_setaffinity(0, {mine}),
    )
    if result.returncode not in (0, 124, 137):
        raise Unavailable(result.stderr.strip() or f"the load ended with {result.returncode}")
    return [json.loads(line) for line in result.stdout.splitlines() if line.endswith("}")]
