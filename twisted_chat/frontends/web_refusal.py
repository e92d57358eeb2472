"""Why a request over HTTP is refused: a status and a sentence."""

from collections.abc import Mapping

from twisted_chat.refusal import Refused

_STATUS = {
    "no-upload": 404,
    "too-large": 413,
    "too-fast": 429,
    "broken": 500,
    "no-space": 507,
    "not-stored": 507,
}
"""Statuses by the code of a refusal; all others are 403."""


class NotAnswered(Exception):
    """A request is refused.

    Args:
        code: the status.
        text: why, in a sentence.
        headers: further headers of the response.
    """

    def __init__(self, code: int, text: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(text)
        self.code = code
        self.text = text
        self.headers = headers or {}


def refused(why: Refused) -> NotAnswered:
    """What the chat has refused."""
    headers = {} if why.wait is None else {"Retry-After": str(round(why.wait) + 1)}
    return NotAnswered(_STATUS.get(why.code, 403), why.text, headers)
