"""Somebody sets the machine's clock while people talk, or it is not the database's."""

import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.e2e.conftest import Start
from tests.e2e.patience import eventually, run
from tests.e2e.people import Plain, Program
from tests.e2e.server import ENVIRONMENT, TWISTD
from tests.e2e.test_instruments import page
from tests.postgres import engine, why_not

pytestmark = pytest.mark.e2e

LIBRARY = Path(f"/usr/lib/{os.uname().machine}-linux-gnu/faketime/libfaketime.so.1")


def with_clock(offset: Path) -> Sequence[str]:
    """The command that runs another with a clock that is as far off as a file says."""
    if not LIBRARY.exists():
        pytest.skip("faketime is not installed")
    return (
        "env",
        f"LD_PRELOAD={LIBRARY}",
        f"FAKETIME_TIMESTAMP_FILE={offset}",
        "FAKETIME_NO_CACHE=1",
        "FAKETIME_DONT_FAKE_MONOTONIC=1",
    )


def test_nobody_waits_and_the_order_stays(start: Start, tmp_path: Path) -> None:
    offset = tmp_path / "offset"
    offset.write_text("+0")
    server = start(before=with_clock(offset))
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


@pytest.mark.skipif(bool(why_not()), reason=why_not())
def test_a_server_whose_clock_is_not_the_databases_says_so(start: Start, tmp_path: Path) -> None:
    offset, url = tmp_path / "offset", engine().new()
    offset.write_text("+1h")
    command = (*with_clock(offset), *TWISTD, "-n", "--pidfile=", "chat", "--db", url)
    refused = run(*command, cwd=tmp_path, env=ENVIRONMENT)
    assert refused.returncode
    *_, why = (refused.stdout + refused.stderr).strip().splitlines()
    assert "this machine's clock is 1 hour ahead of the database's: have chrony" in why
    offset.write_text("+0")
    server = start("--db", url, "--metrics", "0", before=with_clock(offset))
    ann = Plain(server.port, "ann")
    assert page(server, "/healthz") == (200, "ok\n")
    offset.write_text("-2m")
    wrong = "times are wrong: this machine's clock is 2 minutes behind the database's\n"
    eventually(lambda: page(server, "/healthz") == (503, wrong), "it is noticed")
    ann.types("still here")
    offset.write_text("+0")
    eventually(lambda: page(server, "/healthz") == (200, "ok\n"), "it is well again")
    assert server.output.count("Times are wrong: this machine's clock is 2 minutes behind") == 1
    assert "Times are right again" in server.output
