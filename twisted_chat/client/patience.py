"""For how long a server is tried again that is not there."""

import math
from typing import NamedTuple


class Patience(NamedTuple):
    """For how many seconds to try again: 0 for not at all, infinity for ever.

    Args:
        first: while the server has never been reached.
        later: when the connection to it is lost.
    """

    first: float
    later: float


FOR_EVER = Patience(math.inf, math.inf)
NEVER = Patience(0.0, 0.0)
SCRIPT = Patience(0.0, 30.0)
"""A job must not hang where there is no server, but one that is restarted loses it nothing."""
