"""`python -m fuzz [SECONDS [NAME ...]]`: every fuzzer for so long, and how much it has tried."""

import importlib.util
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).parent
NAMES = sorted(path.stem for path in HERE.glob("[!_]*.py"))


def main() -> int:
    """Run them; 1 if one of them found something."""
    if importlib.util.find_spec("atheris") is None:
        print("atheris is not installed (pip install '.[fuzz]'): nothing is fuzzed")
        return 0
    seconds = sys.argv[1] if len(sys.argv) > 1 else "10"
    found = 0
    for name in sys.argv[2:] or NAMES:
        began = time.monotonic()
        with tempfile.TemporaryDirectory() as folder:
            run = subprocess.run(
                [
                    *(sys.executable, "-m", f"fuzz.{name}", f"-max_total_time={seconds}"),
                    *("-print_final_stats=1", "-timeout=5", "-rss_limit_mb=1000", "-max_len=4096"),
                    *(f"-artifact_prefix={name}-", "-verbosity=0", folder),
                ],
                capture_output=True,
                text=True,
                errors="replace",
                check=False,
            )
        tried = re.search(r"number_of_executed_units:\s+(\d+)", run.stderr)
        count, took = int(tried[1]) if tried else 0, time.monotonic() - began
        print(f"{name}: {count:,} inputs in {took:.0f} s", flush=True)
        if run.returncode or not count:
            found = 1
            print(run.stderr[-4000:], run.stdout[-4000:])
    return found


if __name__ == "__main__":
    sys.exit(main())
