"""People on several servers, who live while a test waits; and what all of them saw."""

import asyncio
import threading
from collections.abc import Sequence
from typing import Any

from tests.cluster.transcript import Story, own_log
from tests.cluster.witness import Address, Witness


class Crowd:
    """People on an event loop in a thread of its own, so that they live while a test waits."""

    def __init__(self) -> None:
        self.people: dict[str, Witness] = {}
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self._thread.start()

    def brings(self, who: str, addresses: Sequence[Address], **hello: object) -> Witness:
        """Somebody comes in, to the first of some servers; more for `hello` may be given."""
        witness = self.people[who] = Witness(self.loop, who, addresses, hello)
        self.loop.call_soon_threadsafe(witness.connect)
        return witness

    def story(self, *rooms: str) -> Story:
        """What everybody saw, and what is kept of these rooms and of people's own logs."""
        here = [witness for witness in self.people.values() if witness.is_in]
        story = self.transcripts()
        for room in rooms:
            reader = next(each for each in here if room in each.rooms)
            story.final[room] = reader.whole_history(room)
        for witness in here:
            story.final[own_log(witness.who)] = witness.whole_history("@")
        return story

    def transcripts(self) -> Story:
        """What everybody saw until now."""
        return Story({who: list(witness.lines) for who, witness in self.people.items()})

    def all_see(self, room: str = "#lobby", text: str = "the end") -> None:
        """Somebody says something, and all who are in that room see it."""
        here = [each for each in self.people.values() if each.is_in and room in each.rooms]
        stored = here[0].says_until_stored(text, room)
        for witness in here:
            witness.sees(event="message", room=room, text=stored)

    def clears(self) -> None:
        """All go."""
        people, self.people = self.people, {}
        for witness in people.values():
            self.loop.call_soon_threadsafe(witness.end)

    def ends(self) -> None:
        """All go, and nobody comes any more."""
        self.clears()
        asyncio.run_coroutine_threadsafe(_let_go(self.loop), self.loop).result()
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.loop.close()


async def _let_go(loop: Any) -> None:
    """Give up what is under way, and let connections close; those that do not are broken."""
    for task in asyncio.all_tasks() - {asyncio.current_task()}:
        task.cancel()
    await asyncio.sleep(0.1)
    for transport in list(loop._transports.values()):  # also of those who were just coming
        transport.abort()
    await asyncio.sleep(0.01)
