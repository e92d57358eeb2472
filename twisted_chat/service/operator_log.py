"""The operator's log: one event per line, as text or JSON, with a rate limit."""

import json
import signal
import sys
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from twisted.logger import (
    FileLogObserver,
    ILogObserver,
    LogEvent,
    LogLevel,
    formatEvent,
    formatEventAsClassicLogText,
)
from twisted.python.components import Componentized
from twisted.python.failure import Failure
from twisted.python.logfile import LogFile
from zope.interface import implementer

from twisted_chat.limits import Pace
from twisted_chat.rate import Bucket

PACE = Pace(100, 10)
"""Events of one kind: more would say nothing new, and fill the disk."""

KINDS = 1_000
"""Kinds of events that are told apart; there are a hundred in the program."""

LONGEST = 2_000
"""Characters of one line of text, but for a traceback."""


@implementer(ILogObserver)
class Damper:
    """Limits the rate of each kind of event, and reports how many it left out.

    Args:
        observer: gets the remaining events.
        seconds: gives the time in seconds.
    """

    def __init__(self, observer: Callable[[LogEvent], None], seconds: Callable[[], float]) -> None:
        self._observer = observer
        self._seconds = seconds
        self._buckets: dict[tuple[object, object], Bucket] = {}
        self._kept_back: Counter[tuple[object, object]] = Counter()

    def __call__(self, event: LogEvent) -> None:
        """See `ILogObserver`."""
        kind = event.get("log_namespace"), str(event.get("log_format"))[:200]
        if len(self._buckets) > KINDS:
            self._buckets.clear()
        bucket, now = self._buckets.setdefault(kind, Bucket()), self._seconds()
        if bucket.wait(PACE, now):
            self._kept_back[kind] += 1
            return
        bucket.take(PACE, now)
        count = self._kept_back.pop(kind, 0)
        if count:
            self._observer(_more(event, count))
        self._observer(event)


def _more(event: LogEvent, count: int) -> LogEvent:
    return {
        "log_format": "Left out {count} more like the next one",
        "log_level": LogLevel.info,
        "log_namespace": event.get("log_namespace"),
        "log_time": event.get("log_time"),
        "count": count,
    }


def as_text(event: LogEvent) -> str | None:
    """An event as twistd shows it, but on one line without control characters."""
    line = formatEventAsClassicLogText(event)
    if line is None or "log_failure" in event or "traceback" in event:  # it has lines of its own
        return line
    return _harmless(line.rstrip("\n"))[:LONGEST] + "\n"


def as_json(event: LogEvent) -> str | None:
    """An event as a JSON object: its time, level, namespace, text and fields."""
    text = formatEvent(event)
    if not text and "log_failure" not in event:
        return None
    level = event.get("log_level")
    thing: dict[str, Any] = {
        "time": datetime.fromtimestamp(event.get("log_time", 0.0), UTC).isoformat(
            "T", "milliseconds"
        ),
        "level": level.name if level is not None else "info",
        "namespace": event.get("log_namespace", "-"),
        "text": text[:LONGEST],
    }
    failure = event.get("log_failure")
    if isinstance(failure, Failure):
        thing["traceback"] = failure.getTraceback()
    for name, value in event.items():
        if (
            not name.startswith("log_")
            and name not in thing
            and isinstance(value, str | int | float)
        ):
            is_cut = isinstance(value, str) and name != "traceback"
            thing[name] = str(value)[:LONGEST] if is_cut else value
    return json.dumps(thing, ensure_ascii=True, default=str) + "\n"


def _harmless(line: str) -> str:
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in line)


FORMATS = {"text": as_text, "json": as_json}


def observer(form: str, twistd: Mapping[str, Any], seconds: Callable[[], float]) -> ILogObserver:
    """Where twistd is to log.

    Args:
        form: a name out of `FORMATS`.
        twistd: the options of twistd itself, which say where to.
        seconds: gives the time in seconds.
    """
    name = twistd.get("logfile")
    file: Any
    if name == "-" or (twistd.get("nodaemon") and not name):
        file = sys.stdout
    else:
        rotating = file = LogFile.fromFullPath(name or "twistd.log")
        if not signal.getsignal(signal.SIGUSR1):  # as twistd does it
            signal.signal(signal.SIGUSR1, lambda *_: rotating.rotate())
    return Damper(FileLogObserver(file, FORMATS[form]), seconds)


def begin(program: Any, form: str, twistd: Mapping[str, Any], seconds: Callable[[], float]) -> None:
    """Log in our way, in a program that is twistd's and was not told to log elsewhere.

    Args:
        program: what the service becomes a part of.
        form: a name out of `FORMATS`.
        twistd: the options of twistd itself.
        seconds: gives the time in seconds.
    """
    if isinstance(program, Componentized) and not (twistd.get("syslog") or twistd.get("logger")):
        program.setComponent(ILogObserver, observer(form, twistd, seconds))
