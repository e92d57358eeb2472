"""Tables of medians [least-most], with ratios against the baseline of the same run."""

import math
import statistics
from collections.abc import Sequence

from benchmarks.cases import Counters
from benchmarks.generator import Step

_STRANGERS = 25


def number(value: float) -> str:
    """Three digits or more, as people read them."""
    if math.isinf(value):
        return "never"
    digits = 0 if abs(value) >= 100 or value == int(value) else 1 if abs(value) >= 10 else 2
    return f"{value:,.{digits}f}"


def spread(values: Sequence[float]) -> str:
    """The median, and how far the runs were apart."""
    middle = number(statistics.median(values))
    if len(values) == 1:
        return middle
    return f"{middle} [{number(min(values))}-{number(max(values))}]"


def table(title: str, found: dict[str, list[Counters]], baseline: str) -> str:
    """A case's table in Markdown.

    Args:
        title: what was measured.
        found: the counters of each round, by server.
        baseline: the server that the others are compared with.
    """
    columns = list(dict.fromkeys(name for runs in found.values() for run in runs for name in run))
    lines = [f"### {title}", "", "| " + " | ".join(["server", *columns]) + " |"]
    lines.append("|---" * (len(columns) + 1) + "|")
    for server, runs in found.items():
        cells = [server + (" (baseline)" if server == baseline else "")]
        for column in columns:
            values = [run[column] for run in runs if column in run]
            cell = spread(values) if values else "-"
            base = [run[column] for run in found.get(baseline, []) if column in run]
            if values and base and server != baseline and statistics.median(base) > 0:
                cell += f" ×{number(statistics.median(values) / statistics.median(base))}"
            cells.append(cell)
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def remarks(server: str, steps: Sequence[Step]) -> list[str]:
    """What a reader of the table has to know about a server's runs."""
    said = []
    held = [s for s in steps if s.get("sustained") and not s.get("stopped_for_memory")]
    for fault in ("missing", "duplicates", "reordered", "garbled", "other_orders", "disconnects"):
        # a paced run that held must be without fault; what overload loses, its table tells
        count = sum(s[fault] for s in held if s["mode"] in ("paced", "window"))
        count += 0 if fault == "missing" else sum(s.get(fault, 0) for s in steps if s not in held)
        if count:
            said.append(f"{server}: {count:,} {fault.replace('_', ' ')}")
    stuck = [s for s in steps if s.get("joined", 0) < s.get("clients", 0) and not s.get("churned")]
    said += [f"{server}: {s['joined']:,} of {s['clients']:,} came in" for s in stuck[:1]]
    busy = max((s.get("other_cpu_pct", 0) for s in steps), default=0)
    if busy > _STRANGERS:
        said.append(f"{server}: strangers used up to {busy:.0f} % of a core")
    rates = {s["rate"] for s in steps if s["mode"] == "paced"}
    if len(rates) > 2 and any(s["rate"] == max(rates) for s in held):
        said.append(f"{server}: still held at the top of the ladder, its most may be more")
    if any(s.get("generator_cpu_pct", 0) > 95 for s in held):
        said.append(f"{server}: the load generator was at its limit")
    if any(s.get("stopped_for_memory") for s in steps):
        said.append(f"{server}: stopped, it took too much memory")
    return said
