"""Passwords as people type them: what they may be made of, and when two are the same."""

from precis_i18n import get_profile

from twisted_chat.refusal import Refused

SHORTEST = 8
"""Characters that a password has at least (NIST SP 800-63B)."""

LONGEST = 256
"""Characters that it has at most: a long sentence. All of them count."""

_PRECIS = get_profile("OpaqueString")


class Password:
    """What somebody typed as a password; it shows in no log and no exception.

    It is compared as RFC 8265 has it (OpaqueString): in normal form NFC, every blank a space.
    Blanks at its ends do not count, since some of the ways in take them off.

    Args:
        text: what was typed, whatever it is.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = _normal(text)

    def __repr__(self) -> str:
        return "<Password>"

    def check_new(self) -> None:
        """Make sure that somebody may choose it.

        Raises:
            Refused: why not.
        """
        if self._text is None:
            raise Refused(
                "bad-password",
                f"A password has no control characters, and at most {LONGEST} characters: "
                "choose another one.",
            )
        if len(self._text) < SHORTEST:
            raise Refused(
                "bad-password",
                f"A password has at least {SHORTEST} characters: choose a longer one.",
            )

    @property
    def secret(self) -> bytes:
        """The password itself; empty if nobody can have chosen it."""
        return (self._text or "").encode()


def _normal(text: str) -> str | None:
    if len(text) > 2 * LONGEST:  # before anything that takes time
        return None
    stripped = text.strip()
    if stripped.isascii() and stripped.isprintable():  # which is in normal form
        return stripped if len(stripped) <= LONGEST else None
    try:
        normal: str = _PRECIS.enforce(stripped)
    except UnicodeEncodeError:
        return None
    return normal if len(normal) <= LONGEST else None
