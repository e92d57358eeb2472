"""`python -m benchmarks.entering`: what a room with a long history costs who enters it.

A room with a hundred events and one with a million, side by side in each round: the time from
saying hello until the room is described, and the time of a page of fifty from its beginning.
"""

import json
import socket
import statistics
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from benchmarks.servers import ours, started
from twisted_chat.service import archive

ROUNDS = 100
SIZES = (100, 1_000_000)


def with_history(events: int) -> Callable[[int, Path], list[str]]:
    """The command line of our server, on a database that holds so many events."""
    start = ours("sqlite", memory=False).command

    def command(port: int, folder: Path) -> list[str]:
        exported = folder / "history.ndjson"
        with exported.open("w") as file:
            for number in range(1, events + 1):
                event = {"event": "message", "id": number, "time": "2026-11-20T12:35:02.123Z"}
                event |= {"room": "#lobby", "from": "bob", "text": f"line {number} {'x' * 80}"}
                file.write(json.dumps(event) + "\n")
        archive.run(["--db", str(folder / "chat.sqlite"), "import", str(exported)])
        exported.unlink()
        return start(port, folder)

    return command


def visit(port: int, round_: int) -> tuple[float, float]:
    """The milliseconds that entering takes, and a page of history."""
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        lines = connection.makefile("rwb")
        lines.readline()  # the greeting

        def ask(until: bytes, **thing: object) -> float:
            begun = time.perf_counter()
            lines.write(json.dumps(thing).encode() + b"\n")
            lines.flush()
            while until not in lines.readline():
                pass
            return (time.perf_counter() - begun) * 1e3

        entering = ask(b'"event":"state"', do="hello", nick=f"visitor{round_}")
        page = ask(b'"event":"history"', do="history", room="#lobby", before=80, limit=50)
    return entering, page


def main() -> None:
    """Measure, and print the table."""
    times: dict[int, list[tuple[float, float]]] = {size: [] for size in SIZES}
    with ExitStack() as stack:
        ports = {}
        for size in SIZES:
            server = replace(ours("sqlite", memory=False), command=with_history(size))
            ports[size] = stack.enter_context(started(server))[1]
        for round_ in range(ROUNDS):
            for size, port in ports.items():
                times[size].append(visit(port, round_))
    sys.stdout.write("| events in the room | entering: ms | a page of 50: ms |\n|---|---|---|\n")
    medians = [
        [statistics.median(column) for column in zip(*times[size], strict=True)] for size in SIZES
    ]
    for size, (entering, page) in zip(SIZES, medians, strict=True):
        sys.stdout.write(f"| {size:,} | {entering:.2f} | {page:.2f} |\n")
    ratios = [big / small for small, big in zip(*medians, strict=True)]
    sys.stdout.write(f"| ratio | {ratios[0]:.2f} | {ratios[1]:.2f} |\n")


if __name__ == "__main__":
    main()
