"""A browser, at the frontend for WebSockets."""

from tests.behaviour.structured import Bot
from tests.browsers import Tab


class Browser(Bot):
    """Somebody in front of the page."""

    kind = Tab
