"""Whether this machine's clock is the database's: several servers stamp the events of one chat."""

from twisted.logger import Logger

from twisted_chat.text.spans import in_words

_log = Logger(namespace="chat")

MOST = 10.0
"""Seconds by which they may differ.

What people see depends on them, and when a ban is over, but no order and no lease: times are shown
to the minute. So this is between etcd, which warns at one second, and Kerberos with five minutes.
Clocks that are set by the network differ by milliseconds, others by some seconds after a week.
"""

NOW = "extract(epoch FROM clock_timestamp())::float8"
"""The database's time, in seconds since 1970, as SQL."""


def ahead(before: float, theirs: float, after: float) -> float:
    """Seconds by which this machine's clock is ahead of another one at least, or behind it (< 0).

    Args:
        before: the time by this one before the other was asked.
        theirs: what it answered.
        after: the time by this one when that was known.
    """
    return max(0.0, before - theirs) + min(0.0, after - theirs)


def far_off(seconds: float, most: float = MOST) -> str:
    """What is wrong if this machine's clock is ahead so much; empty if that is little."""
    if abs(seconds) <= most:
        return ""
    which = "ahead of" if seconds > 0 else "behind"
    return f"this machine's clock is {in_words(round(abs(seconds)))} {which} the database's"


class Clocks:
    """What the operator is told of the two clocks while the server runs."""

    def __init__(self) -> None:
        self.problem = ""
        """What is wrong with them; empty if all is well."""

    def compared(self, seconds: float) -> None:
        """This machine's clock is ahead so much just now."""
        before = self.problem
        why = far_off(seconds, MOST / 2 if before else MOST)  # so that it is not said to and fro
        self.problem = f"times are wrong: {why}" if why else ""
        if why and not before:
            _log.error("Times are wrong: {why}: have chrony or the like set both", why=why)
        elif before and not why:
            _log.info("Times are right again")
