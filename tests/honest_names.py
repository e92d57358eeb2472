"""Names that people really have."""

from pathlib import Path

_HERE = Path(__file__).parent

NAMES_OF_THE_WORLD = {
    script: names.split()
    for script, _, names in (
        line.partition(": ")
        for line in (_HERE / "names_of_the_world.txt").read_text(encoding="utf-8").splitlines()
    )
}
"""Names, and some words, of every living script that a name can be in."""

FREQUENT_NAMES = (_HERE / "frequent_names.txt").read_text(encoding="utf-8").split()
"""The thousand most frequent given names of the census of the United States of 1990."""
