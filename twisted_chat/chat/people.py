"""Everybody who is logged in, by nickname and by what the nickname looks like."""

import difflib
from collections.abc import Callable, Collection, Iterator

from twisted.internet.defer import Deferred, execute, succeed
from twisted.internet.interfaces import IReactorTime
from twisted.python.failure import Failure

from twisted_chat.chat.accounts import Accounts
from twisted_chat.chat.device import Device, hash_token
from twisted_chat.chat.person import Person
from twisted_chat.limits import Limits
from twisted_chat.refusal import Refused
from twisted_chat.stores.nodes import Nodes, Taken
from twisted_chat.text import names
from twisted_chat.text.confusables import looks

_FEW = 200
"""People among whom a misspelled name is looked for, so that a typo costs the others no time."""


_TRIES = 100
"""Numbers that are tried behind a nickname that is taken."""

CLAIMED = 2.0
"""Seconds after which a nickname is claimed again that could not be claimed."""

LEFT = 1_000
"""People who have just left whose names are known, to say so to who whispers to them."""


class People:
    """Everybody, each under one nickname that nobody else's can be taken for.

    A displaced person has none: somebody else took it while they were disconnected.

    Args:
        clock: the time.
        limits: how long it is known who has left.
        accounts: the names that are somebody's, whether or not they are here.
        nodes: the servers of which no two give the same nickname to somebody, if there are several.
    """

    def __init__(
        self,
        clock: IReactorTime,
        limits: Limits,
        accounts: Accounts,
        nodes: Nodes | None = None,
    ) -> None:
        self._nodes = nodes
        self.lost: Callable[[Person], None] = lambda _: None
        """Called with somebody whose nickname is somebody else's, who is at another server."""
        self._claimed: dict[str, set[str]] = {}  # what was claimed here for people, by their ids
        self._claiming: set[str] = set()  # ids of people who wait for a nickname
        self._clock = clock
        self._limits = limits
        self._accounts = accounts
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
        """Somebody is here, with a nickname that they have claimed unless they are displaced."""
        self._by_id[person.id] = person
        for device in person.devices.values():
            if device.token_hash:
                self._by_token_hash[device.token_hash] = person, device
        if person.displaced:
            self._displaced[person.id] = person

    def displace(self, person: Person) -> None:
        """Somebody else takes a person's nickname."""
        self._give_back(person, person.nickname)
        self._is_displaced(person)

    def _is_displaced(self, person: Person) -> None:
        self._uncall(person, person.nickname)
        person.displaced = True
        self._displaced[person.id] = person
        for other in self:  # who may be called so too, as two servers let both in at once
            if other.key == person.key:
                self._call(other, other.nickname)

    def replace(self, person: Person, wanted: str) -> Deferred[None]:
        """Who was displaced is back, as they want to be called, or else much as they were.

        Returns:
            Fails with `Refused` if somebody at another server was faster.

        Raises:
            Refused: there is no nickname for them.
        """
        try:
            name = names.nickname(wanted, self._limits)
            self._check_free(name, person)
        except Refused:
            name = self._free_like(person.nickname, person)
        del self._displaced[person.id]
        person.displaced = False
        self._be_called(person, name)
        return self._claim_at_once(person)

    def _claim_at_once(self, person: Person) -> Deferred[None]:
        if self._nodes is None:
            return succeed(None)
        return self._claim(self._nodes, person, person.nickname)

    def _claim(
        self, nodes: Nodes, person: Person, nickname: str, instead_of: str = ""
    ) -> Deferred[None]:
        keys = _keys(nickname)
        self._claimed.setdefault(person.id, set()).update(keys)
        return nodes.claim(person.id, keys, instead_of)

    def claim(self, nickname: str, asker: Person, holder: Person | None = None) -> Deferred[None]:
        """Take a nickname, in one step, that nobody else has and that looks like nobody else's.

        Args:
            nickname: what they want to be called.
            asker: who is about to have it.
            holder: who is displaced if it is theirs.

        Returns:
            Fires when it is kept for the asker; fails with `Refused` if it is not free. It may
            have to wait, and nobody else gets it meanwhile.
        """
        if self._nodes is None:
            return execute(self._take, nickname, asker, holder)
        return Deferred.fromCoroutine(self._take_from_all(self._nodes, nickname, asker, holder))

    def _take(self, nickname: str, asker: Person, holder: Person | None) -> None:
        self._accounts.check_free(nickname, asker.account)
        self._check_unused(nickname, holder or asker)
        if holder is not None:
            self.displace(holder)
        self._call(asker, nickname)

    async def _take_from_all(
        self, nodes: Nodes, nickname: str, asker: Person, holder: Person | None
    ) -> None:
        """The same, where somebody at another server may want it in this moment."""
        self._accounts.check_free(nickname, asker.account)
        self._check_unused(nickname, holder or asker)
        self._call(asker, nickname)
        self._claiming.add(asker.id)
        try:
            await self._claim(nodes, asker, nickname, holder.id if holder else "")
        except Refused as why:
            self._uncall(asker, nickname)
            for other in (holder, asker):
                if other is not None and self._has_nickname(other):
                    self._call(other, other.nickname)
            if isinstance(why, Taken):
                raise _taken(nickname) from why
            if not self._is_new(asker):
                raise
            self._call(asker, nickname)
            self._clock.callLater(CLAIMED, self._claim_late, nodes, asker)
        finally:
            self._claiming.discard(asker.id)
        if holder is not None and self._has_nickname(holder):
            self.displace(holder)

    def _is_new(self, person: Person) -> bool:
        return person.id not in self._by_id

    def claim_again(self, person: Person) -> None:
        """Find out whether somebody has their nickname, who was let in by another server.

        It may not have been in touch with the database.
        """
        if self._nodes is not None:
            self._claim_late(self._nodes, person)

    def _claim_late(self, nodes: Nodes, person: Person) -> None:
        """Somebody was let in while the database could not say whether the nickname was free."""

        nickname = person.nickname

        def failed(failure: Failure) -> None:
            if failure.check(Taken) and self._has_nickname(person) and person.nickname == nickname:
                self.lost(person)
            elif not failure.check(Taken):
                failure.trap(Refused)
                self._clock.callLater(CLAIMED, self._claim_late, nodes, person)

        if self._has_nickname(person):
            self._claim(nodes, person, nickname).addErrback(failed)

    def _has_nickname(self, person: Person) -> bool:
        return self._by_id.get(person.id) is person and not person.displaced

    def release(self, nickname: str, asker: Person) -> None:
        """What was claimed is not to be theirs after all."""
        self._uncall(asker, nickname)
        kept = asker.nickname if self._has_nickname(asker) else ""
        self._give_back(asker, nickname, kept)
        if kept:
            self._call(asker, kept)

    def rename(self, person: Person, nickname: str) -> None:
        """Somebody is called what was claimed for them."""
        old = person.nickname
        self._uncall(person, old)
        self._be_called(person, nickname)
        self._give_back(person, old, nickname)
        self.give_back_others(person.id)  # where the new nickname is known already

    def _give_back(self, person: Person, nickname: str, kept: str = "") -> None:
        """Anybody may have a nickname now, but for what belongs to the one that they keep."""
        if self._nodes is not None:
            self._release(person.id, set(_keys(nickname)) - set(_keys(kept) if kept else ()))

    def give_back_others(self, person_id: str) -> None:
        """Somebody needs nothing that was claimed for them here but what belongs to their nickname.

        They may have got another one at another server in the same moment.
        """
        person = self._by_id.get(person_id)
        claimed = self._claimed.get(person_id, set())
        if person_id in self._claiming or (person is not None and person.is_renaming):
            return
        has_name = person is not None and not person.displaced
        needed = set(_keys(person.nickname)) if person is not None and has_name else set()
        if claimed - needed:
            self._release(person_id, claimed - needed)

    def inherit_from(self, node: int) -> None:
        """A server is gone: of what it claimed for people, only their nicknames stay theirs."""
        if self._nodes is not None:
            kept = {person.id: _keys(person.nickname) for person in self}
            for person_id, keys in kept.items():
                self._claimed.setdefault(person_id, set()).update(keys)
            self._nodes.inherit(node, kept)

    def _release(self, person_id: str, keys: Collection[str]) -> None:
        claimed = self._claimed.get(person_id, set())
        claimed.difference_update(keys)
        if not claimed:
            self._claimed.pop(person_id, None)
        if self._nodes is not None and keys:
            self._nodes.release(person_id, sorted(keys))

    def remove(self, person: Person) -> None:
        """Somebody has left, and their nickname is free."""
        if not person.displaced:
            self._give_back(person, person.nickname)
        self.forget(person)

    # What other servers tell

    def know(self, person: Person) -> None:
        """Somebody is here who came to another server."""
        self.add(person)
        if not person.displaced:
            self._call(person, person.nickname)

    def is_now(self, person: Person, nickname: str, *, is_displaced: bool) -> None:
        """Somebody is called something, or has lost that."""
        if is_displaced:
            if not person.displaced:
                self._is_displaced(person)
            person.nickname, person.key = nickname, names.key(nickname)
        elif person.displaced and not is_displaced:
            del self._displaced[person.id]
            person.displaced = False
            self._be_called(person, nickname)
        elif person.nickname != nickname:
            self._uncall(person, person.nickname)
            self._be_called(person, nickname)

    def know_token(self, person: Person, device: Device, token_hash: str) -> None:
        """A device of somebody's has a token."""
        if device.token_hash != token_hash:
            self._by_token_hash.pop(device.token_hash, None)
            device.token_hash = token_hash
        if token_hash:
            self._by_token_hash[token_hash] = person, device

    def forget_token(self, device: Device) -> None:
        """Nobody comes back to a device."""
        self._by_token_hash.pop(device.token_hash, None)

    def forget(self, person: Person) -> None:
        """Somebody has left."""
        del self._by_id[person.id]
        for device in person.devices.values():
            self.forget_token(device)
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
        person.devices.pop(device.id, None)
        self.forget_token(device)

    def _be_called(self, person: Person, nickname: str) -> None:
        person.nickname, person.key = nickname, names.key(nickname)
        self._call(person, nickname)

    def _call(self, person: Person, nickname: str) -> None:
        self._by_key[names.key(nickname)] = person
        for look in looks(nickname):
            self._by_look[look] = person

    def _uncall(self, person: Person, nickname: str) -> None:
        key = names.key(nickname)
        if self._by_key.get(key) is person:
            del self._by_key[key]
        for look in set(looks(nickname)):
            if self._by_look.get(look) is person:
                del self._by_look[look]

    def called(self, nickname: str) -> Person | None:
        """Who has this nickname, if anybody who is here has."""
        person = self._by_key.get(names.key(nickname))
        return person if person is not None and person.id in self._by_id else None

    def with_id(self, person_id: str) -> Person | None:
        """Who has this id, if anybody."""
        return self._by_id.get(person_id)

    def with_token(self, token: str) -> tuple[Person, Device] | None:
        """Whose session a token resumes, and of which device, if they are still here."""
        return self._by_token_hash.get(hash_token(token))

    def in_the_way(self, nickname: str) -> set[Person]:
        """Who has a nickname, or one that looks like it, or is about to have it."""
        found = {self._by_key.get(names.key(nickname)), *map(self._by_look.get, looks(nickname))}
        return {person for person in found if person is not None}

    def _free_like(self, nickname: str, person: Person) -> str:
        """A free nickname for who was called this: the same, or else with a number behind it.

        Raises:
            Refused: there is none.
        """
        for number in range(1, _TRIES):
            end = f"_{number}" if number > 1 else ""
            name = nickname[: max(1, self._limits.nickname_characters - len(end))] + end
            try:
                name = names.nickname(name, self._limits)
                self._check_free(name, person)
            except Refused:
                continue
            return name
        raise _taken(nickname)

    def find(self, nickname: str) -> Person:
        """Who has this nickname.

        Raises:
            Refused: nobody has.
        """
        person = self.called(nickname.strip())
        if person is not None:
            return person
        key = names.key(nickname.strip())
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

    def _check_free(self, nickname: str, asker: Person) -> None:
        self._accounts.check_free(nickname, asker.account)
        self._check_unused(nickname, asker)

    def _check_unused(self, nickname: str, asker: Person) -> None:
        """Make sure that a nickname is nobody's, or the asker's own, and looks like nobody's.

        Raises:
            Refused: it is not.
        """
        if self._by_key.get(names.key(nickname), asker) is not asker:
            raise _taken(nickname)
        for look in looks(nickname):
            other = self._by_look.get(look, asker)
            if other is not None and other is not asker:
                raise Refused(
                    "nick-taken",
                    f"The nickname {nickname} looks like {other.nickname}, who is here: "
                    "choose another one.",
                )


def _taken(nickname: str) -> Refused:
    return Refused("nick-taken", f"The nickname {nickname} is taken: choose another one.")


def _keys(nickname: str) -> list[str]:
    """What nobody else may have who is called so: the nickname, and what it looks like."""
    return sorted({f"={names.key(nickname)}", *(f"~{look}" for look in looks(nickname))})
