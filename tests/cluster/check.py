"""`python -m tests.cluster.check FILES`: checks files of transcripts, and says what is wrong."""

import sys
from pathlib import Path

from tests.cluster.history import figures, findings
from tests.cluster.transcript import Story


def main(arguments: list[str]) -> int:
    """Check the files; 1 if something is wrong."""
    if not arguments:
        print(__doc__)
        return 2
    story = Story().read(map(Path, arguments))
    found = findings(story)
    for finding in found:
        print(f"{finding.kind}: {finding.text}")
    print(f"{figures(story)}; {len(found)} findings")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
