"""Completion with Tab: commands, rooms and nicknames, each where it makes sense."""

from collections.abc import Iterable, Sequence

from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document

from twisted_chat.client.incoming import Command, Member
from twisted_chat.client.model import Model
from twisted_chat.text.names import key


class ChatCompleter(Completer):
    """Completes what is being typed from what the client knows.

    Args:
        model: what the client knows.
        own: the commands of the client itself.
    """

    def __init__(self, model: Model, own: Sequence[Command] = ()) -> None:
        self._model = model
        self._own = own

    @property
    def _all_commands(self) -> list[Command]:
        own = {command.name for command in self._own}
        return [each for each in self._model.commands if each.name not in own] + list(self._own)

    def get_completions(
        self, document: Document, complete_event: CompleteEvent
    ) -> Iterable[Completion]:
        """The words that the one before the cursor may become."""
        before = document.text_before_cursor
        *words, word = before.lstrip().split(" ")
        at = -len(word)
        if not words and word.startswith("/"):
            yield from self._commands(word)
        elif not words and word.startswith("@"):
            names = word[1:].split(",")
            for member in self._people(names[-1]):
                yield Completion(member.nick + " ", -len(names[-1]), display=member.shown)
        elif words and words[0].startswith("/help"):
            yield from self._commands("/" + word.lstrip("/"), at)
        elif word.startswith("#") or self._wants(words, "ROOM"):
            for room in self._rooms(word):
                yield Completion(room + " ", at, display=room)
        elif word or not words or self._wants(words, "NICK"):
            after = " " if words else ": "
            for member in self._people(word):
                yield Completion(member.nick + after, at, display=member.shown)

    def _wants(self, words: list[str], what: str) -> bool:
        """Whether the command before the cursor takes a room (or a nickname) here."""
        if not words:
            return False
        for command in self._all_commands:
            if words[0].lower() in (command.name, *command.aliases):
                usage = command.usage.split()
                return len(words) <= len(usage) and what in usage[len(words) - 1].strip("[]")
        return False

    def _commands(self, word: str, at: int | None = None) -> Iterable[Completion]:
        start = -len(word) if at is None else at
        for command in self._all_commands:
            for name in (command.name, *command.aliases):
                if name.startswith(word.lower()) and (word != "/" or name == command.name):
                    yield Completion(
                        name + " ",
                        start,
                        display=f"{name} {command.usage}",
                        display_meta=command.help,
                    )

    def _rooms(self, word: str) -> list[str]:
        start = key("#" + word.removeprefix("#"))
        ours = [room.name for room in self._model.rooms.values()]
        rooms = {key(name): name for name in (*self._model.listed, *ours)}
        order = dict.fromkeys(map(key, (*ours, *self._model.listed)))
        return [rooms[name] for name in order if name.startswith(start)]

    def _people(self, word: str) -> list[Member]:
        """Those who begin so: the last speaker here first, then who else is here or elsewhere."""
        rooms = [self._model.here, *self._model.rooms.values()]
        people = {key(member.nick): member for room in rooms for member in room.people()}
        return [
            member
            for name, member in people.items()
            if name.startswith(key(word)) and not self._model.is_me(member.nick)
        ]
