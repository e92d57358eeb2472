"""Everybody who is logged in, by nickname and by what the nickname looks like."""

import difflib
from collections.abc import Collection, Iterator

from twisted.internet.interfaces import IReactorTime

from twisted_chat.chat.device import Device, hash_token
from twisted_chat.chat.person import Person
from twisted_chat.limits import Limits
from twisted_chat.refusal import Refused
from twisted_chat.text import names
from twisted_chat.text.confusables import looks

_FEW = 200
"""People among whom a misspelled name is looked for, so that a typo costs the others no time."""


_TRIES = 100
"""Numbers that are tried behind a nickname that is taken."""

LEFT = 1_000
"""People who have just left whose names are known, to say so to who whispers to them."""


class People:
    """Everybody, each under one nickname that nobody else's can be taken for.

    Whoever is displaced has none: somebody else took it while they had no connection.

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
        self._by_token_hash: dict[str, tuple[Person, Device]] = {}
        self._displaced: dict[str, Person] = {}  # by id
        self._left: dict[str, float] = {}  # nicknames that have just left: key, when

    def __iter__(self) -> Iterator[Person]:
        return (person for person in self._by_id.values() if not person.displaced)

    def __len__(self) -> int:
        return len(self._by_id) - len(self._displaced)

    @property
    def displaced(self) -> Collection[Person]:
        """Those whose nickname somebody else took, and who may come back."""
        return self._displaced.values()

    def add(self, person: Person) -> None:
        """Somebody is here, with a nickname that has been found free unless they are displaced."""
        self._by_id[person.id] = person
        for device in person.devices.values():
            if device.token_hash:
                self._by_token_hash[device.token_hash] = person, device
        if person.displaced:
            self._displaced[person.id] = person
        else:
            self._call(person, person.nickname)

    def displace(self, person: Person) -> None:
        """Somebody else takes a person's nickname."""
        self._uncall(person, person.nickname)
        person.displaced = True
        self._displaced[person.id] = person

    def replace(self, person: Person, nickname: str) -> None:
        """Who was displaced is back, under a nickname that has been found free."""
        del self._displaced[person.id]
        person.displaced = False
        self._be_called(person, nickname)

    def issue_token(self, person: Person, device: Device, epoch: str) -> None:
        """Somebody may resume the session of one of their devices from now on."""
        device.issue_token(epoch)
        self._by_token_hash[device.token_hash] = person, device

    def claim(self, person: Person, nickname: str) -> None:
        """Keep a nickname, which has been found free, for somebody who is about to have it."""
        self._call(person, nickname)

    def unclaim(self, person: Person, nickname: str) -> None:
        """It is not to be theirs after all."""
        self._uncall(person, nickname)
        self._call(person, person.nickname)

    def rename(self, person: Person, nickname: str) -> None:
        """Somebody is called what was claimed for them."""
        self._uncall(person, person.nickname)
        self._be_called(person, nickname)

    def remove(self, person: Person) -> None:
        """Somebody has left, and their nickname is free."""
        del self._by_id[person.id]
        for device in person.devices.values():
            self._by_token_hash.pop(device.token_hash, None)
        if self._displaced.pop(person.id, None) is None:
            self._uncall(person, person.nickname)
            self._left.pop(person.key, None)
            self._left[person.key] = self._clock.seconds()
            if len(self._left) > LEFT:
                del self._left[next(iter(self._left))]

    def add_device(self, person: Person, device: Device) -> None:
        """Somebody is here over one more device."""
        person.devices[device.id] = device
        if device.token_hash:
            self._by_token_hash[device.token_hash] = person, device

    def remove_device(self, person: Person, device: Device) -> None:
        """Somebody is not here over this device any more, but still over others."""
        del person.devices[device.id]
        self._by_token_hash.pop(device.token_hash, None)

    def _be_called(self, person: Person, nickname: str) -> None:
        person.nickname, person.key = nickname, names.key(nickname)
        self._call(person, nickname)

    def _call(self, person: Person, nickname: str) -> None:
        self._by_key[names.key(nickname)] = person
        for look in looks(nickname):
            self._by_look[look] = person

    def _uncall(self, person: Person, nickname: str) -> None:
        del self._by_key[names.key(nickname)]
        for look in set(looks(nickname)):
            if self._by_look.get(look) is person:
                del self._by_look[look]

    def called(self, nickname: str) -> Person | None:
        """Who has this nickname, if anybody."""
        return self._by_key.get(names.key(nickname))

    def with_id(self, person_id: str) -> Person | None:
        """Who has this id, if anybody."""
        return self._by_id.get(person_id)

    def with_token(self, token: str) -> tuple[Person, Device] | None:
        """Whose session a token resumes, and of which device, if they are still here."""
        return self._by_token_hash.get(hash_token(token))

    def free_like(self, nickname: str) -> str:
        """A free nickname for who was called this: the same, or else with a number behind it.

        Raises:
            Refused: there is none.
        """
        for number in range(1, _TRIES):
            end = f"_{number}" if number > 1 else ""
            name = nickname[: max(1, self._limits.nickname_characters - len(end))] + end
            try:
                name = names.nickname(name, self._limits)
                self.check_free(name)
            except Refused:
                continue
            return name
        raise Refused("nick-taken", f"The nickname {nickname} is taken: choose another one.")

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
        meant = self.similar(nickname)
        if meant is not None:
            raise Refused(
                "no-such-nick", f"There is nobody called {nickname}: did you mean {meant}?"
            )
        raise Refused(
            "no-such-nick", f"There is nobody called {nickname}: /users lists who is here."
        )

    def similar(self, nickname: str) -> str | None:
        """Who may have been meant by a nickname that nobody has."""
        if len(self._by_key) > _FEW:
            return None
        close = difflib.get_close_matches(names.key(nickname.strip()), self._by_key, 1, 0.6)
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
