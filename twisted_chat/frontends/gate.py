"""Why input from a connection is paused, if it is."""

from collections.abc import Callable


class InputGate:
    """Open as long as there is no reason to pause the input.

    Args:
        shut: called when the first reason comes up.
        open: called when the last one is gone.
    """

    __slots__ = ("_open", "_shut", "reasons")

    def __init__(self, shut: Callable[[], None], open: Callable[[], None]) -> None:  # noqa: A002 - the other of `shut`
        self.reasons: tuple[str, ...] = ()
        """Why it is shut, as words for the operator."""
        self._shut = shut
        self._open = open

    def hold(self, reason: str) -> None:
        """Deliver no lines for this reason, until it is released."""
        if reason not in self.reasons:
            self.reasons = (*self.reasons, reason)
            if len(self.reasons) == 1:
                self._shut()

    def release(self, reason: str) -> None:
        """Remove this reason."""
        if reason in self.reasons:
            self.reasons = tuple(other for other in self.reasons if other != reason)
            if not self.reasons:
                self._open()

    def release_all(self) -> None:
        """Remove all reasons, because the connection is about to end."""
        if self.reasons:
            self.reasons = ()
            self._open()

    def forget(self) -> None:
        """The connection is gone: know nobody any more, so that memory is freed by that."""
        self._shut = self._open = _nothing


def _nothing() -> None:
    """Whom this would tell is gone."""
