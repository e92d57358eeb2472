"""The load generator sees what is lost, doubled and out of order, and nothing that is not."""

import asyncio
import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from benchmarks import generator

Relay = Callable[[int, bytes], bytes]
"""What the others are sent instead of the message with this number."""


@pytest.fixture(scope="module")
def load() -> str:
    """The generator's path."""
    try:
        return str(generator.compiled())
    except generator.Unavailable as reason:
        pytest.skip(str(reason))


class Server:
    """A chat server that does to messages what it is told.

    Args:
        relay: makes what is sent from what is said.
        welcome: makes what a newcomer is told, from who was there before.
        cut: how many bytes are sent at a time; 0 for all.
    """

    def __init__(
        self,
        relay: Relay = lambda _number, line: line,
        welcome: Callable[[list[bytes]], bytes] = lambda _names: b"",
        cut: int = 0,
    ) -> None:
        self._relay = relay
        self._welcome = welcome
        self._cut = cut
        self._number = 0
        self._there: dict[asyncio.StreamWriter, bytes] = {}
        self.said: list[bytes] = []

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"Your name?\n")
        name = (await reader.readline()).strip()
        writer.write(b"Welcome, " + name + b"\n" + self._welcome([*self._there.values()]))
        for other in self._there:
            other.write(name + b" has joined\n")
        self._there[writer] = name
        with suppress(ConnectionError):
            async for line in reader:
                self.said.append(line)
                await self._tell(writer, name + b": " + line)
        del self._there[writer]
        writer.close()

    async def _tell(self, sender: asyncio.StreamWriter, line: bytes) -> None:
        text = self._relay(self._number, line)
        self._number += 1
        step = self._cut or max(1, len(text))
        for start in range(0, len(text), step):
            for other in self._there:
                if other is not sender:
                    other.write(text[start : start + step])
            if self._cut:
                await asyncio.sleep(0.001)

    async def _serve(self, load: str, words: tuple[str, ...]) -> list[dict[str, Any]]:
        server = await asyncio.start_server(self._talk, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        way_in = ("--await", "name?", "--say", "%n\n", "--await", "Welcome, ")
        words = ("--port", str(port), *way_in, "--settle-ms", "50", "--warmup", "0", *words)
        process = await asyncio.create_subprocess_exec(load, *words, stdout=asyncio.subprocess.PIPE)
        output, _ = await process.communicate()
        server.close()
        while self._there:
            await asyncio.sleep(0.01)
        return [json.loads(line) for line in output.splitlines()]

    def under(self, load: str, *words: str) -> list[dict[str, Any]]:
        """The steps that the load reports of this server."""
        return asyncio.run(self._serve(load, words))


HUNDRED = ("--clients", "10", "--rate", "400", "--duration", "0.25", "--drain", "0.3")


def faults(step: dict[str, Any]) -> dict[str, int]:
    """What went wrong, by kind."""
    kinds = "missing gaps duplicates reordered garbled disconnects unsent other_orders"
    return {kind: step[kind] for kind in kinds.split() if step[kind]}


@pytest.mark.parametrize("verify", ["1", "10"])
@pytest.mark.parametrize("cut", [0, 37])
def test_a_faithful_server_is_without_fault(load: str, verify: str, cut: int) -> None:
    """However its bytes come in."""
    (step,) = Server(cut=cut).under(load, *HUNDRED, "--rate", "100", "--verify", verify)
    assert faults(step) == {}
    assert step["messages_per_s"] == pytest.approx(100, rel=0.1)
    assert step["deliveries_per_s"] == pytest.approx(900, rel=0.1)
    assert 0 < step["p50_ms"] <= step["p90_ms"] <= step["p99_ms"] <= step["max_ms"] < 500


def test_a_latency_counts_from_when_the_message_was_due(load: str) -> None:
    """A server that collects twenty of them, which takes 50 ms, shows that."""
    held: list[bytes] = []

    def in_twenties(number: int, line: bytes) -> bytes:
        held.append(line)
        if number % 20 != 19:
            return b""
        text = b"".join(held)
        held.clear()
        return text

    (step,) = Server(in_twenties).under(load, *HUNDRED, "--verify", "1")
    assert 45 < step["max_ms"] < 300
    assert 20 < step["p50_ms"] < 200
    assert step["gaps"] == 0


class Spoilt:
    """Loses number 10, doubles 20, sends 31 before 30, and 44 only after 48."""

    def __init__(self) -> None:
        self._held = b""

    def __call__(self, number: int, line: bytes) -> bytes:
        """The message, spoilt."""
        if number in (30, 44):
            self._held = line
            return b""
        if number in (31, 48):
            return line + self._held
        return {10: b"", 20: line + line}.get(number, line)


def test_a_verified_receiver_knows_every_fault(load: str) -> None:
    """By kind, at all nine who hear the sender."""
    (step,) = Server(Spoilt()).under(load, *HUNDRED, "--verify", "1")
    assert faults(step) == {"missing": 9, "gaps": 9, "duplicates": 9, "reordered": 18}


def test_a_counting_receiver_knows_how_many_are_missing(load: str) -> None:
    """Two of the ten verify: the one that does not talk and the first, which does."""
    relay: Relay = lambda number, line: b"" if number in (10, 11) else line  # noqa: E731 - its type says what it is given
    (step,) = Server(relay).under(load, *HUNDRED, "--verify", "10")
    assert faults(step) == {"missing": 18, "gaps": 2}


def test_a_mangled_message_is_no_message(load: str) -> None:
    """Neither with a changed number nor with a text cut short."""

    def mangle(number: int, line: bytes) -> bytes:
        return {5: line.replace(b"%0", b"%z"), 6: line[:60] + b"\n"}.get(number, line)

    (step,) = Server(mangle).under(load, *HUNDRED, "--verify", "1")
    assert step["garbled"] >= 9
    assert step["missing"] >= 18 - 9


def test_those_who_are_cut_off_are_counted(load: str) -> None:
    """A server that goes away takes all with it."""

    class Leaving(Server):
        async def _tell(self, sender: asyncio.StreamWriter, line: bytes) -> None:
            await super()._tell(sender, line)
            if self._number == 50:
                [*self._there][-1].close()

    (step,) = Leaving().under(load, *HUNDRED)
    assert faults(step) == {"disconnects": 1}


def test_a_closed_loop_has_so_many_under_way(load: str) -> None:
    """Two senders with three each: the server never has more than six unanswered."""
    words = ("--clients", "5", "--senders", "2", "--mode", "window", "--window", "3")
    server = Server()
    (step,) = server.under(load, *words, "--duration", "0.3", "--verify", "1")
    assert faults(step) == {}
    assert step["messages_per_s"] > 100
    assert step["p50_ms"] < 1000 * 6 / step["messages_per_s"] * 3


def test_a_stopped_reader_gets_everything_in_order_later(load: str) -> None:
    """The other nine hear all the while."""
    words = (*HUNDRED, "--stopped", "1", "--resume", "--verify", "1")
    step, after = Server(Spoilt()).under(load, *words)
    assert step["missing"] == 8
    assert after["still_connected"] == 1
    assert (after["missing"], after["duplicates"], after["reordered"]) == (1, 1, 2)


def test_a_storm_ends_when_all_are_told_of_all(load: str) -> None:
    """By name or as a number."""

    def three_by_name(names: list[bytes]) -> bytes:
        more = len(names) - 3
        rest = b" and %d more" % more if more > 0 else b""
        return b"Here: " + b", ".join(names[:3]) + rest + b"\n"

    words = ("--clients", "30", "--mode", "storm", "--at-once", "30", "--duration", "0")
    (step,) = Server(welcome=three_by_name).under(load, *words, "--join-timeout", "1")
    assert step["joined"] == 30
    assert step["told_pct"] == 100
    (step,) = Server().under(load, *words, "--join-timeout", "0.5")
    assert step["told_pct"] < 100
    assert step["told_s"] == -1


def test_pings_are_answered(load: str) -> None:
    """Before a message and after it."""
    relay: Relay = lambda _number, line: b"PING :one\n" + line + b"PING :two\n"  # noqa: E731 - its type says what it is given
    server = Server(relay)
    words = ("--clients", "2", "--rate", "50", "--duration", "0.1", "--drain", "0.2", "--pong")
    server.under(load, *words)
    assert {b"PONG :one\n", b"PONG :two\n"} <= set(server.said)
