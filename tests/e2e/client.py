"""The bundled client, as a command."""

import os
import sys

from tests.e2e.server import ENVIRONMENT, Server

CLIENT = (sys.executable, "-m", "twisted_chat.client")
PLAIN = ENVIRONMENT | {"LANG": "C.UTF-8", "LC_ALL": "C.UTF-8"}


def client(server: Server, nick: str, *options: str) -> tuple[str, ...]:
    """The command of somebody who joins a server."""
    return (*CLIENT, "127.0.0.1", str(server.port), "--nick", nick, *options)


def without_home(folder: "os.PathLike[str]") -> dict[str, str]:
    """An environment in which the client keeps what it keeps in a folder of its own."""
    mine = {"HOME": os.fspath(folder), "TERM": "xterm-256color"}
    return {key: PLAIN[key] for key in PLAIN if not key.startswith("XDG_")} | mine
