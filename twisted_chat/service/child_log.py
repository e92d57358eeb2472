"""The log of a process in that of its parent: the same lines, which say whose they are."""

import json
from typing import Any

from twisted.logger import InvalidLogLevelError, Logger, LogLevel

_OURS = frozenset({"time", "level", "namespace", "text"})


def pass_on(number: int, line: bytes) -> None:
    """Log what a process has logged as JSON, or has written in another way.

    Args:
        number: of the process.
        line: what came from it.
    """
    try:
        thing = json.loads(line)
        level = LogLevel.lookupByName(thing["level"])
        name, text = str(thing["namespace"]), str(thing["text"])
    except (ValueError, LookupError, TypeError, InvalidLogLevelError):
        thing, level, name = {}, LogLevel.error, "chat"
        text = line.decode(errors="replace")
    form = text.replace("{", "{{").replace("}", "}}")
    more: dict[str, Any] = {key: value for key, value in thing.items() if key not in _OURS}
    if "traceback" in more:
        form += "\n{traceback}"
    system = f"process {number}, {name}#{level.name}"
    Logger(namespace=name).emit(level, form, log_system=system, process=number, **more)
