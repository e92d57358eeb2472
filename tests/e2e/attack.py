"""A thousand hostile connections of all kinds, each from an address of its own.

`python -m tests.e2e.attack PORT SECONDS [CONNECTIONS]` attacks a server on this machine; it prints
a line once all have connected, and how many bytes it has sent at the end.
"""

import asyncio
import base64
import contextlib
import itertools
import json
import random
import resource
import socket
import ssl
import struct
import sys
from collections.abc import Awaitable, Callable
from typing import TypeAlias

Streams: TypeAlias = tuple[asyncio.StreamReader, asyncio.StreamWriter]
_numbers = itertools.count()
_noise = random.Random(1)
_ANYONE = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # whatever the server's certificate
_ANYONE.check_hostname, _ANYONE.verify_mode = False, ssl.CERT_NONE


async def connect(port: int, *, window: int = 0) -> Streams:
    """A connection from a new address."""
    number = next(_numbers)
    link = socket.socket()
    if window:
        link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
    link.setblocking(False)
    link.bind((f"127.{20 + number // 62_500}.{number // 250 % 250}.{1 + number % 250}", 0))
    await asyncio.get_running_loop().sock_connect(link, ("127.0.0.1", port))
    return await asyncio.open_connection(sock=link, limit=1 << 16)


async def join(port: int, *, window: int = 0) -> Streams:
    """A connection with a nickname."""
    reader, writer = await connect(port, window=window)
    writer.write(b"mallory%d\n" % next(_numbers))
    await writer.drain()
    return reader, writer


async def listen(reader: asyncio.StreamReader) -> None:
    """Read to the end."""
    while await reader.read(1 << 16):
        pass


async def pour(streams: Streams, *pieces: bytes, pause: float = 0.0) -> None:
    """Send without end, and read what comes."""
    reader, writer = streams
    listening = asyncio.ensure_future(listen(reader))
    try:
        for piece in itertools.cycle(pieces):
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(pause)
    finally:
        listening.cancel()


async def silent(port: int) -> None:
    """Connects, and says nothing."""
    await listen((await connect(port))[0])


async def lurker(port: int) -> None:
    """Is in the room, and never reads."""
    streams = await join(port, window=1024)
    await asyncio.sleep(3600)
    del streams


async def sipper(port: int) -> None:
    """Is in the room, and reads a byte a second."""
    reader, _ = await join(port, window=1024)
    while await reader.read(1):
        await asyncio.sleep(1)


async def endless_line(port: int) -> None:
    """A line without an end, as a nickname."""
    await pour(await connect(port), b"x" * 65_536, pause=0.05)


async def endless_said(port: int) -> None:
    """A line without an end, in the room."""
    await pour(await join(port), b"x" * 65_536, pause=0.05)


async def endless_telnet(port: int) -> None:
    """A telnet subnegotiation without an end."""
    await pour(await connect(port), b"\xff\xfa" + b"a" * 4_000, pause=0.05)


async def endless_json(port: int) -> None:
    """An object without an end."""
    await pour(await connect(port), b'{"do":"say","text":"' + b"[" * 8_000, pause=0.05)


async def trickle(port: int) -> None:
    """A byte a second."""
    await pour(await connect(port), b"a", pause=1)


async def flood(port: int) -> None:
    """Lines without an end."""
    await pour(await join(port), b"flood\n" * 200, pause=0.1)


async def draw(port: int) -> None:
    """Escape sequences, marks and direction changes."""
    lines = (
        "\x1b[2J\x1b]0;x\x07",
        "e" + "\u0301" * 30,
        "\u202eevil\u2066",
        "*** forged has joined",
    )
    await pour(await join(port), *(line.encode() + b"\n" for line in lines), pause=0.2)


async def noise(port: int) -> None:
    """Random bytes."""
    await pour(await join(port), *(_noise.randbytes(500) for _ in range(20)), pause=0.1)


async def rename(port: int) -> None:
    """Another nickname all the time."""
    lines = (b"/nick mal%d\n" % next(_numbers) for _ in range(1_000))
    await pour(await join(port), *lines, pause=0.1)


async def rooms(port: int) -> None:
    """Another room all the time."""
    lines = (b"/join #r%d\n/leave\n" % next(_numbers) for _ in range(1_000))
    await pour(await join(port), *lines, pause=0.1)


async def ask(port: int) -> None:
    """Questions with long answers, which are never read."""
    _, writer = await join(port, window=1024)
    while True:
        writer.write(b"/help\n/history 200\n/users\n/rooms\n")
        await writer.drain()
        await asyncio.sleep(0.1)


async def ask_as_program(port: int) -> None:
    """The same in objects."""
    reader, writer = await connect(port)
    writer.write(b'{"do":"hello","nick":"bot%d"}\n' % next(_numbers))
    question = json.dumps({"do": "history", "limit": 200}).encode() + b"\n"
    await pour((reader, writer), question * 5, pause=0.1)


async def browser(port: int) -> None:
    """A page that posts into the chat, again and again."""
    while True:
        reader, writer = await connect(port)
        writer.write(b"POST / HTTP/1.1\r\nHost: chat\r\n\r\nmallory\r\nbuy my things\r\n")
        await listen(reader)
        writer.close()
        await asyncio.sleep(0.5)


async def come_and_go(port: int) -> None:
    """Joins, and breaks the connection, again and again."""
    while True:
        _, writer = await join(port)
        await asyncio.sleep(_noise.random())
        linger = struct.pack("ii", 1, 0)
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        writer.close()
        await asyncio.sleep(0.5)


async def open_websocket(port: int) -> Streams:
    """A WebSocket, whose handshake has been answered."""
    reader, writer = await connect(port)
    key = base64.b64encode(next(_numbers).to_bytes(16, "big"))
    writer.write(
        b"GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %b\r\n\r\n" % key
    )
    await reader.readuntil(b"\r\n\r\n")
    return reader, writer


def frame(first: int, data: bytes = b"") -> bytes:
    """A client's frame, with a mask of zeros; `first` is its first byte."""
    size = len(data)
    length = bytes((0x80 | size,)) if size < 126 else b"\xfe" + size.to_bytes(2, "big")
    return bytes((first,)) + length + bytes(4) + data


async def tab_that_floods(port: int) -> None:
    """A tab that joins, and says something without an end."""
    streams = await open_websocket(port)
    streams[1].write(frame(0x81, b'{"do":"hello","nick":"tab%d"}' % next(_numbers)))
    await pour(streams, frame(0x81, b'{"do":"say","text":"flood"}') * 200, pause=0.1)


async def tab_that_never_reads(port: int) -> None:
    """A tab that asks for long answers, and reads none of them."""
    _, writer = await open_websocket(port)
    writer.write(frame(0x81, b'{"do":"hello","nick":"tab%d"}' % next(_numbers)))
    while True:
        writer.write(frame(0x81, b'{"do":"history","limit":200}'))
        await writer.drain()
        await asyncio.sleep(0.1)


async def endless_message(port: int) -> None:
    """A message in fragments without an end, over and over."""
    await pour(await open_websocket(port), frame(0x01, b"{"), *[frame(0x00)] * 500, pause=0.01)


async def pings(port: int) -> None:
    """Pings without an end."""
    await pour(await open_websocket(port), frame(0x89, b"x" * 100) * 20, pause=0.1)


async def broken_frames(port: int) -> None:
    """Random bytes as frames."""
    await pour(await open_websocket(port), *(_noise.randbytes(500) for _ in range(20)), pause=0.1)


async def slow_request(port: int) -> None:
    """A request, a byte a second."""
    head = b"GET / HTTP/1.1\r\nHost: x\r\nX-Long: "
    await pour(await connect(port), head, *[b"y"] * 10_000, pause=1)


async def requests(port: int) -> None:
    """Requests for the page without an end, whose answers are never read."""
    _, writer = await connect(port, window=1024)
    while True:
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 20)
        await writer.drain()
        await asyncio.sleep(0.1)


async def offered(port: int) -> tuple[Streams, bytes]:
    """Somebody in the chat, and the path that they can send a file to."""
    streams = await join(port)
    streams[1].write(b"/upload\n")
    line = await streams[0].readuntil(b"/\r\n")
    return streams, b"/upload/" + line.rpartition(b"/upload/")[2].strip()


async def upload_that_trickles(port: int) -> None:
    """A file, a byte a second."""
    somebody, path = await offered(port)
    head = b"PUT %bslow HTTP/1.1\r\nHost: x\r\nContent-Length: 9000000\r\n\r\n" % path
    await pour(await connect(port), head, *[b"y"] * 10_000, pause=1)
    somebody[1].close()


async def upload_that_is_too_large(port: int) -> None:
    """A file that is refused, and sent all the same."""
    somebody, path = await offered(port)
    head = b"PUT %blarge HTTP/1.1\r\nHost: x\r\nContent-Length: 99000000\r\n\r\n" % path
    await pour(await connect(port), head, *[bytes(60_000)] * 10_000, pause=0.1)
    somebody[1].close()


async def uploads(port: int) -> None:
    """Files without an end, with names like paths, which are cut off in the middle."""
    while True:
        somebody, path = await offered(port)
        for length in (1_000, 400_000):
            _, writer = await connect(port)
            name = b"..%2f..%2fetc%2fpasswd.zip%00"
            head = b"PUT %b%b HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n"
            writer.write(head % (path, name, length) + bytes(length // 2))
            await asyncio.sleep(0.5)
            writer.transport.abort()
        somebody[1].close()


async def range_bombs(port: int) -> None:
    """A file, and then parts of it without an end, many at once, which are never read."""
    somebody, path = await offered(port)
    reader, writer = await connect(port)
    head = b"PUT %bx HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n" % path
    writer.write(head + bytes(100_000))
    address = (await reader.read()).rpartition(b"\r\n\r\n")[2].strip()
    parts = b",".join(b"%d-" % number for number in range(1_000))
    get = b"GET /file/%b HTTP/1.1\r\nHost: x\r\nRange: bytes=%b\r\n\r\n"
    _, writer = await connect(port, window=1024)
    while True:
        writer.write(get % (address.rpartition(b"/file/")[2], parts) * 5)
        await writer.drain()
        await asyncio.sleep(0.1)
        somebody[1].write(b"\n")


async def half_handshake(port: int) -> None:
    """The beginning of a TLS handshake, and nothing more."""
    reader, writer = await connect(port)
    writer.write(b"\x16\x03\x01\x02\x00\x01\x00\x01")
    await listen(reader)


async def handshakes(port: int) -> None:
    """A TLS handshake, again and again."""
    while True:
        _, writer = await connect(port)
        with contextlib.suppress(OSError):
            await writer.start_tls(_ANYONE)
        writer.transport.abort()
        await asyncio.sleep(0.5)


async def flood_with_tls(port: int) -> None:
    """Lines without an end, over TLS."""
    reader, writer = await connect(port)
    await writer.start_tls(_ANYONE)
    writer.write(b"mallory%d\n" % next(_numbers))
    await pour((reader, writer), b"flood\n" * 200, pause=0.1)


KINDS: tuple[Callable[[int], Awaitable[None]], ...] = (
    *(silent, lurker, sipper, endless_line, endless_said, endless_telnet, endless_json, trickle),
    *(flood, draw, noise, rename, rooms, ask, ask_as_program, browser, come_and_go),
    *(tab_that_floods, tab_that_never_reads, endless_message, pings, broken_frames),
    *(upload_that_trickles, upload_that_is_too_large, uploads, range_bombs),
    *(slow_request, requests, half_handshake, handshakes, flood_with_tls),
)


async def again_and_again(kind: Callable[[int], Awaitable[None]], port: int) -> None:
    """An attacker who is thrown out comes back."""
    while True:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            await kind(port)
        await asyncio.sleep(1)


async def attack(port: int, seconds: float, connections: int) -> None:
    """All of them for so long."""
    attackers = []
    for number in range(connections):
        kind = KINDS[number % len(KINDS)]
        attackers.append(asyncio.ensure_future(again_and_again(kind, port)))
        if number % 50 == 49:
            await asyncio.sleep(0.05)
    print(f"{connections} are there", flush=True)  # noqa: T201 - a program
    await asyncio.sleep(seconds)
    for attacker in attackers:
        attacker.cancel()
    await asyncio.gather(*attackers, return_exceptions=True)


if __name__ == "__main__":
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    port, seconds = int(sys.argv[1]), float(sys.argv[2])
    asyncio.run(attack(port, seconds, int(sys.argv[3]) if len(sys.argv) > 3 else 1_000))
