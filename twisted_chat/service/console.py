"""The terminal a server was started from, where errors at startup are shown."""

import atexit
import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from twisted.logger import Logger

_log = Logger(namespace="chat")


class Console:
    """The terminal that a server was started from, until it has started.

    A daemon has closed its standard error by the time it opens its ports, so this keeps a copy.

    Args:
        twistd: the options of twistd itself.
    """

    def __init__(self, twistd: Mapping[str, Any]) -> None:
        is_daemon = not twistd.get("nodaemon", True)
        self._is_log = not is_daemon and not twistd.get("logfile")
        self._file = 2
        with suppress(OSError):  # there may be none
            self._file = os.dup(2) if is_daemon else 2

    def tell_why(self, reason: str) -> None:
        """Say in one line why the program exits; the exception that ends it prints nothing.

        (With `SystemExit`, twistd's parent process would wait forever.)
        """
        with suppress(OSError):
            os.write(self._file, f"twisted-chat: {reason}\n".encode(errors="replace"))
        if not self._is_log:
            _log.critical("Cannot start: {reason}", reason=reason)
        sys.excepthook = lambda *_: None

    def give_up(self, reason: str, reactor: Any) -> None:
        """Say why the program ends, which runs already."""
        self.tell_why(reason)
        self.fail(reactor)

    @staticmethod
    def fail(reactor: Any) -> None:
        """End the program as one that has failed."""
        atexit.register(os._exit, 1)  # twistd would end as if all were well
        reactor.stop()

    def show(self, text: str) -> None:
        """Show lines that are no part of the log."""
        with suppress(OSError):
            os.write(self._file, text.encode(errors="replace"))

    def close(self) -> None:
        """The server has started: close the copy, so that a waiting parent process can go on."""
        if self._file != 2:
            os.close(self._file)
            self._file = 2
