"""Somebody sets the machine's clock back while people talk."""

import os
from pathlib import Path

import pytest

from tests.e2e.conftest import Start
from tests.e2e.people import Plain, Program

pytestmark = pytest.mark.e2e

LIBRARY = Path(f"/usr/lib/{os.uname().machine}-linux-gnu/faketime/libfaketime.so.1")


def test_nobody_waits_and_the_order_stays(start: Start, tmp_path: Path) -> None:
    if not LIBRARY.exists():
        pytest.skip("faketime is not installed")
    offset = tmp_path / "offset"
    offset.write_text("+0")
    server = start(
        before=(
            "env",
            f"LD_PRELOAD={LIBRARY}",
            f"FAKETIME_TIMESTAMP_FILE={offset}",
            "FAKETIME_NO_CACHE=1",
            "FAKETIME_DONT_FAKE_MONOTONIC=1",
        )
    )
    ann, bot = Plain(server.port, "ann"), Program(server.port, "bot")
    ann.types(*map(str, range(1, 15)))  # the last four wait their turn
    bot.gets(text="9")
    offset.write_text("-1h")
    bot.gets(text="14")
    ben = Plain(server.port, "ben")
    ben.types("15")
    bot.gets(text="15")
    ann.types("16")
    bot.gets(text="16")
    said = [event for event in bot.events if event["event"] == "message"]
    assert [event["id"] for event in said] == [*range(1, 17)]
    assert said[-1]["time"] < said[0]["time"], "the clock was not set back"
