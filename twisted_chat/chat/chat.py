"""The chat: everybody, every room, and all that one can do. Frontends call only this."""

from twisted.internet.defer import gatherResults

from twisted_chat.chat.neighbours import Neighbours
from twisted_chat.chat.sharing import Sharing
from twisted_chat.text import names


class Chat(Neighbours, Sharing):
    """Every person and every room, and everything that one can do.

    Args:
        clock: timers, and the seconds by which it is counted who does too much.
        store: where logs are kept.
        turn: says when a turn is over.
        name: what the server is called.
        limits: what one person may take.
        motd: lines shown to everybody who joins.
        opened: called with every room, when it is opened.
        counters: where it is counted what happens.
        now: gives the time of day, in seconds since 1970; without it, that is the clock's.
        observers: told what happens, and asked before it does.
        accounts: the registered names; without it, passwords are hashed at once.
        how_to_join: gives what people are told who ask how others can join, line by line.
        administrators: names of accounts that administer the server, beside those that are
            administrators by themselves.
        operations: what administrators can ask of the program, if it is there for the chat.
        files: what people have sent to rooms; without it, they can send no files.
    """

    async def _start(self) -> None:
        await self.accounts.loaded
        await self.server_log.open()
        self.lobby = await self.rooms.open(names.LOBBY)
        nodes = self._store.nodes
        if nodes is None or not await self._meet(nodes):
            for saved in await self._store.saved_sessions():
                await self._restore(saved)
        kept = [room for room in await self._store.rooms() if self.rooms.called(room) is None]
        place = max(0, self.limits.rooms - len(self.rooms))  # the others are opened on demand
        await gatherResults([self.rooms.open(room) for room in kept[:place]], consumeErrors=True)
        if self.files is not None and len(kept) <= place:
            self.files.know_all(self.epoch)
        self._begin()

    def close(self, announcement: str) -> None:
        """Tell everybody, and let them go; who may resume can do so when the server is back."""
        if self.is_stopping:
            return
        for person in list(self.people):
            for connection in person.connections:
                connection.do_all()
        self._keep_all_settings()
        self.is_stopping = True
        for person in [each for each in self.people if any(each.connections)]:
            self.tell(person, announcement)
            for connection in person.connections:
                connection.end()
        if self.files is not None:
            self.files.close()
        for room in self.rooms.values():
            room.hush()
