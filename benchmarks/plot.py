"""A picture of the paced runs: how long a delivery takes against how many there are."""

import importlib
import statistics
from collections import defaultdict
from pathlib import Path

from benchmarks.generator import Step


def plot(title: str, runs: dict[str, list[Step]], path: Path) -> str:
    """Draw p50 and p99 against deliveries a second, and say what came of it.

    Args:
        title: what was measured.
        runs: the steps of each server.
        path: where to; its ending (.svg, .png) says what.
    """
    curves: dict[str, dict[float, list[Step]]] = {}
    for server, steps in runs.items():
        rates: dict[float, list[Step]] = defaultdict(list)
        for step in steps:
            if step["mode"] == "paced" and step["p99_ms"]:
                rates[step["rate"]].append(step)
        if len(rates) > 2:
            curves[server] = rates
    if not curves:
        return "No picture: this case has no ladder of rates."
    try:
        matplotlib = importlib.import_module("matplotlib")
        matplotlib.use("agg")
        pyplot = importlib.import_module("matplotlib.pyplot")
    except ImportError:
        return "No picture: matplotlib is not installed (pip install '.[bench]')."
    figure, axes = pyplot.subplots(figsize=(9, 5))
    for server, rates in curves.items():
        x = [_median(steps, "deliveries_per_s") for _, steps in sorted(rates.items())]
        color: str | None = None
        for quantile, style in (("p50_ms", "-"), ("p99_ms", "--")):
            y = [_median(steps, quantile) for _, steps in sorted(rates.items())]
            label = f"{server}, {quantile.removesuffix('_ms')}"
            (line,) = axes.plot(x, y, style, marker="o", markersize=3, color=color, label=label)
            color = line.get_color()
    axes.set(xscale="log", yscale="log", xlabel="deliveries per second", ylabel="latency, ms")
    axes.set_title(title, fontsize="medium")
    axes.grid(visible=True, which="both", alpha=0.2)
    axes.legend(fontsize="small")
    figure.tight_layout()
    figure.savefig(path)
    return f"Picture: {path}"


def _median(steps: list[Step], name: str) -> float:
    return float(statistics.median(step[name] for step in steps))
