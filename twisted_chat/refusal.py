"""Why a request is refused, as the person reads it."""


class Refused(Exception):
    """A request that is refused; the text is shown to the person.

    Args:
        code: a stable word for programs (`no-such-nick`), see docs/protocol.md.
        text: one sentence that says why, and what to do instead.
        wait: seconds after which the same request may succeed; None if waiting does not help.
        until: when what is in the way ends, in seconds since 1970; None if nobody has set an end.
    """

    def __init__(
        self, code: str, text: str, wait: float | None = None, until: float | None = None
    ) -> None:
        super().__init__(text)
        self.code = code
        self.text = text
        self.wait = wait
        self.until = until
