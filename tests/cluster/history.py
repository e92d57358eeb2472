"""A checker of histories: whether what people saw can all have been one chat."""

from tests.cluster.order import check_order
from tests.cluster.presence import check_presence
from tests.cluster.said import check_said, sayings
from tests.cluster.told import check_told
from tests.cluster.transcript import Finding, Story, is_stored

CHECKS = (check_said, check_order, check_told, check_presence)


def findings(story: Story) -> list[Finding]:
    """Everything that is wrong."""
    return [finding for check in CHECKS for finding in check(story)]


def figures(story: Story) -> str:
    """How much there was to check."""
    outcomes = [one.outcome for who in story.people for one in sayings(story, who).values()]
    counts = ", ".join(
        f"{outcomes.count(outcome):,} {outcome}"
        for outcome in ("acknowledged", "refused", "unknown")
    )
    got = [line.what for lines in story.people.values() for line in lines if line.kind == "got"]
    connections = sum(line.kind == "on" for lines in story.people.values() for line in lines)
    kept = sum(map(len, story.final.values()))
    return (
        f"{len(story.people)} people, {connections:,} connections; {len(outcomes):,} lines said:"
        f" {counts}; {kept:,} events kept, {sum(map(is_stored, got)):,} seen"
    )
