"""Why a request is refused, as the person reads it."""


class Refused(Exception):
    """A wish that is not granted; its text is what the person reads.

    Args:
        code: a stable word for programs (`no-such-nick`), see docs/protocol.md.
        text: one sentence that says why, and what to do instead.
        wait: seconds after which the same wish may be granted; None when waiting does not help.
    """

    def __init__(self, code: str, text: str, wait: float | None = None) -> None:
        super().__init__(text)
        self.code = code
        self.text = text
        self.wait = wait
