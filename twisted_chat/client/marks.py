"""Tells our other devices what is read here: where somebody types, and when they leave."""

from twisted_chat.client.chat_client import ChatClient

_EVERY = 30.0
"""Seconds between two such requests, which count as lines that one sends."""


class Marks:
    """What was said to be read.

    Args:
        client: who reads.
    """

    def __init__(self, client: ChatClient) -> None:
        self._client = client
        self._said: dict[str, int] = {}
        self._when = -_EVERY

    def typed(self, *, leaves: bool = False) -> None:
        """Somebody types in a room, so that they have read it.

        Args:
            leaves: whether there is no later.
        """
        room, now = self._client.model.here, self._client.clock.seconds()
        is_news = room.seen > self._said.get(room.name, 0)
        if not (self._client.is_in and self._client.model.account and is_news):
            return
        if leaves or now - self._when >= _EVERY:
            self._when, self._said[room.name] = now, room.seen
            self._client.send({"do": "read", "room": room.name, "id": room.seen})
