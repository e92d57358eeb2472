"""`python -m benchmarks.ways_in`: the cost of a delivery over WebSockets and TLS.

A thousand readers of one kind are in a room, and one more says a hundred messages at a time, or
one. Counted is the server's own CPU for each delivery, which does not depend on how fast the
readers are, and the memory of a reader who is idle. Every kind has a fresh server in each round.
"""

import contextlib
import os
import resource
import selectors
import socket
import ssl
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from benchmarks.generator import cores
from benchmarks.servers import free_port, ours, started

READERS = 1_000
ROUNDS = 3
MARK = b"|"
"""Stands in each message once, and nowhere else: no frame has as many bytes as its code."""

_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


class Reader:
    """Somebody in the room who counts the messages.

    Args:
        link: their connection.
        frames: whether they speak in frames.
    """

    def __init__(self, link: socket.socket, *, frames: bool = False) -> None:
        self.link = link
        self.count = 0
        self._frames = frames

    def says(self, line: str) -> None:
        """Send a line."""
        data = line.encode()
        if self._frames:
            data = bytes((0x81, 0xFE)) + len(data).to_bytes(2, "big") + bytes(4) + data
        self.link.sendall(data if self._frames else data + b"\n")

    def waits_for(self, text: bytes) -> None:
        """Read until there is this text."""
        data = b""
        while text not in data:
            data += self.link.recv(65_536)

    def reads(self) -> None:
        """Count what has come."""
        with contextlib.suppress(BlockingIOError, ssl.SSLWantReadError):
            while data := self.link.recv(65_536):
                self.count += data.count(MARK)


def _connect(port: int) -> socket.socket:
    link = socket.create_connection(("127.0.0.1", port))
    link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return link


def plain(ports: "Ports", name: str) -> Reader:
    """Somebody with netcat."""
    reader = Reader(_connect(ports[0]))
    reader.says(name)
    reader.waits_for(b"In #lobby")
    return reader


def structured(ports: "Ports", name: str) -> Reader:
    """A program."""
    reader = Reader(_connect(ports[0]))
    reader.says(f'{{"do":"hello","nick":"{name}"}}')
    reader.waits_for(b'"event":"state"')
    return reader


def web(ports: "Ports", name: str) -> Reader:
    """A browser."""
    reader = Reader(_connect(ports[2]), frames=True)
    reader.link.sendall(
        b"GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    reader.waits_for(b"\r\n\r\n")
    reader.says(f'{{"do":"hello","nick":"{name}"}}'.ljust(200))
    reader.waits_for(b'"event":"state"')
    return reader


def tls(ports: "Ports", name: str) -> Reader:
    """Somebody with `openssl s_client`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    reader = Reader(context.wrap_socket(_connect(ports[1])))
    reader.says(name)
    reader.waits_for(b"In #lobby")
    return reader


Ports = tuple[int, int, int]
KINDS: dict[str, Callable[[Ports, str], Reader]] = {
    "plain": plain,
    "structured": structured,
    "WebSocket": web,
    "plain over TLS": tls,
}


def cpu(pid: int) -> float:
    """The seconds of CPU that a process has had."""
    words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / _TICKS


def memory(pid: int) -> int:
    """The bytes that it takes."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE


def talk(pid: int, talker: Reader, readers: list[Reader], at_once: int, turns: int) -> float:
    """The microseconds of the server's CPU for each delivery."""
    poller = selectors.DefaultSelector()
    for reader in readers:
        poller.register(reader.link, selectors.EVENT_READ, reader)
        reader.count = 0
    began = cpu(pid)
    for turn in range(1, turns + 1):
        talker.link.sendall(b"".join(b"%s%0100d\n" % (MARK, n) for n in range(at_once)))
        while any(reader.count < turn * at_once for reader in readers):
            for key, _ in poller.select(1):
                key.data.reads()
    poller.close()
    return (cpu(pid) - began) * 1e6 / (len(readers) * at_once * turns)


def measure(kind: Callable[[Ports, str], Reader]) -> tuple[float, float, float]:
    """CPU for a delivery one at a time and a hundred at a time (us), and kB of an idle reader."""
    tls_port, web_port = free_port(), free_port()
    base = ours("memory", memory=True)

    def command(port: int, folder: Path) -> list[str]:
        more = ["--tls-port", str(tls_port), "--web-port", str(web_port)]
        return base.command(port, folder) + more

    with started(replace(base, command=command)) as (pid, port):
        ports = (port, tls_port, web_port)
        talker = plain(ports, "talker")
        for number in range(20):  # so that what is made once is made
            kind(ports, f"first{number}").link.close()
        time.sleep(0.5)
        before = memory(pid)
        readers = [kind(ports, f"reader{number}") for number in range(READERS)]
        time.sleep(1.5)
        each = (memory(pid) - before) / READERS / 1024
        for reader in (*readers, talker):
            reader.link.setblocking(reader is talker)
        talk(pid, talker, readers, 1, 5)
        found = talk(pid, talker, readers, 1, 200), talk(pid, talker, readers, 100, 20), each
        for reader in (*readers, talker):
            reader.link.close()
    return found


def main() -> None:
    """Measure, and print the table."""
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    os.sched_setaffinity(0, {cores()[1]})
    found: dict[str, list[tuple[float, float, float]]] = {name: [] for name in KINDS}
    for _ in range(ROUNDS):
        for name, kind in KINDS.items():
            found[name].append(measure(kind))
    medians = {
        name: [statistics.median(column) for column in zip(*rows, strict=True)]
        for name, rows in found.items()
    }
    base = medians["plain"]
    sys.stdout.write(
        f"| {READERS:,} readers | one message at a time: us a delivery | a hundred: us a delivery "
        "| idle: kB each |\n|---|---|---|---|\n"
    )
    for name, row in medians.items():
        one, many, each = (
            f"{value:.2f}" + ("" if row is base else f" ×{value / of:.2f}")
            for value, of in zip(row, base, strict=True)
        )
        sys.stdout.write(f"| {name} | {one} | {many} | {each} |\n")


if __name__ == "__main__":
    main()
