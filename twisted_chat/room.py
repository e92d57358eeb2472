"""A room: its log, its members and its topic."""

from collections.abc import Callable, Iterable

from twisted.internet.interfaces import IReactorTime

from twisted_chat import names
from twisted_chat.limits import Limits
from twisted_chat.log import Log
from twisted_chat.person import Person
from twisted_chat.presence import Presence


class Room:
    """A room that people enter, talk in and leave.

    Its members are those whom its log tells to be here, as far as that has been shown: so who is
    told of the members, and then reads on, never finds what they knew already.

    Args:
        name: what it is called.
        log: what happens in it.
        clock: timers, and the seconds by which it is counted how many come and go.
        limits: how many joins and leaves are told one by one.
        now: gives the time of day, in seconds since 1970.
    """

    def __init__(
        self,
        name: str,
        log: Log,
        clock: IReactorTime,
        limits: Limits,
        now: Callable[[], float],
    ) -> None:
        self.name = name
        self.key = names.key(name)
        self.log = log
        self.topic = ""
        self.members: dict[str, Person] = {}  # by id
        self._here: dict[str, Person] = {}
        self._presence = Presence(log, clock, limits, now, self._told)

    @property
    def is_idle(self) -> bool:
        """Whether nobody would notice if this room were forgotten until somebody enters it."""
        return not self._here and not self.topic and self.log.settled == self.log.appended

    def enter(self, person: Person) -> None:
        """Somebody becomes a member."""
        self._here[person.id] = person
        if not self._presence.join(person):
            self._told([person.id])

    def keep(self, person: Person) -> None:
        """Somebody is a member still, after a restart of which nobody is told."""
        self._here[person.id] = self.members[person.id] = person
        self._presence.keep(person)

    def leave(self, person: Person, reason: str) -> None:
        """Somebody is a member no more."""
        del self._here[person.id]
        if not self._presence.leave(person, reason):
            self._told([person.id])

    def _told(self, ids: Iterable[str]) -> None:
        """Who came or left is known to have done so, or is to be known later."""
        for each in ids:
            person = self._here.get(each)
            if person is None:
                self.members.pop(each, None)
            else:
                self.members[each] = person

    def announce(self, person: Person, to: str = "") -> None:
        """A member is about to do something here; the others may not know yet that they came.

        Args:
            person: who it is.
            to: the nickname that they are about to take, if that is what they do.
        """
        self._presence.announce(person, to)

    def rename(self, person: Person) -> None:
        """A member, who was announced, has another nickname."""
        self._presence.rename(person)

    def hush(self) -> None:
        """Tell nothing more of who comes and goes."""
        self._presence.close()

    def close(self) -> None:
        """Nobody is in the room any more."""
        self.hush()
        self.log.close()
