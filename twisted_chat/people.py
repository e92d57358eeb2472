"""Everybody who is here, by what they are called and by what that looks like."""

import difflib
from collections.abc import Iterator

from twisted.internet.interfaces import IReactorTime

from twisted_chat import names
from twisted_chat.limits import Limits
from twisted_chat.looks import looks
from twisted_chat.person import Person, proof
from twisted_chat.refusal import Refused

_FEW = 200
"""People among whom a misspelled name is looked for, so that a typo costs the others no time."""


class People:
    """Everybody, each under one nickname that nobody else's can be taken for.

    Args:
        clock: the time.
        limits: how long it is known who has left.
    """

    def __init__(self, clock: IReactorTime, limits: Limits) -> None:
        self._clock = clock
        self._limits = limits
        self._by_key: dict[str, Person] = {}
        self._by_look: dict[str, Person] = {}
        self._by_id: dict[str, Person] = {}
        self._by_proof: dict[str, Person] = {}
        self._left: dict[str, float] = {}  # nicknames that have just left: key, when

    def __iter__(self) -> Iterator[Person]:
        return iter(self._by_key.values())

    def __len__(self) -> int:
        return len(self._by_key)

    def add(self, person: Person) -> None:
        """Somebody is here."""
        self._by_id[person.id] = person
        self._call(person, person.nickname)
        if person.proof:
            self._by_proof[person.proof] = person

    def issue_token(self, person: Person) -> None:
        """Somebody may resume from now on."""
        person.issue_token()
        self._by_proof[person.proof] = person

    def rename(self, person: Person, nickname: str) -> None:
        """Somebody is called something else, which has been found free."""
        self._uncall(person)
        self._call(person, nickname)

    def remove(self, person: Person) -> None:
        """Somebody has left, and their nickname is free."""
        self._uncall(person)
        del self._by_id[person.id]
        self._by_proof.pop(person.proof, None)
        if len(self._left) > self._limits.rooms:
            self._left.clear()
        self._left[person.key] = self._clock.seconds()

    def _call(self, person: Person, nickname: str) -> None:
        person.nickname, person.key = nickname, names.key(nickname)
        self._by_key[person.key] = person
        for look in looks(nickname):
            self._by_look[look] = person

    def _uncall(self, person: Person) -> None:
        del self._by_key[person.key]
        for look in set(looks(person.nickname)):
            if self._by_look.get(look) is person:
                del self._by_look[look]

    def called(self, nickname: str) -> Person | None:
        """Who has this nickname, if anybody."""
        return self._by_key.get(names.key(nickname))

    def with_id(self, person_id: str) -> Person | None:
        """Who has this id, if anybody."""
        return self._by_id.get(person_id)

    def with_token(self, token: str) -> Person | None:
        """Whose session this token resumes, if they are still here."""
        return self._by_proof.get(proof(token))

    def find(self, nickname: str) -> Person:
        """Who has this nickname.

        Raises:
            Refused: nobody has.
        """
        key = names.key(nickname.strip())
        person = self._by_key.get(key)
        if person is not None:
            return person
        left = self._left.get(key, 0.0)
        if left and self._clock.seconds() - left < self._limits.gone_seconds:
            raise Refused("no-such-nick", f"{nickname} has left: /users lists who is here.")
        meant = self._similar(key)
        if meant is not None:
            raise Refused(
                "no-such-nick", f"There is nobody called {nickname}: did you mean {meant}?"
            )
        raise Refused(
            "no-such-nick", f"There is nobody called {nickname}: /users lists who is here."
        )

    def _similar(self, key: str) -> str | None:
        if len(self._by_key) > _FEW:
            return None
        close = difflib.get_close_matches(key, self._by_key, 1, 0.75)
        return self._by_key[close[0]].nickname if close else None

    def check_free(self, nickname: str, asker: Person | None = None) -> None:
        """Make sure that a nickname is nobody's, or the asker's own, and looks like nobody's.

        Raises:
            Refused: it is not.
        """
        if self._by_key.get(names.key(nickname), asker) is not asker:
            raise Refused("nick-taken", f"The nickname {nickname} is taken: choose another one.")
        for look in looks(nickname):
            other = self._by_look.get(look, asker)
            if other is not None and other is not asker:
                raise Refused(
                    "nick-taken",
                    f"The nickname {nickname} looks like {other.nickname}, who is here: "
                    "choose another one.",
                )
