"""A room: its log, its members and its state."""

from collections.abc import Callable

from twisted.internet.interfaces import IReactorTime

from twisted_chat.chat.person import Person
from twisted_chat.chat.presence import Presence, Shown
from twisted_chat.events.effects import State
from twisted_chat.limits import Limits
from twisted_chat.log.fanout import Fanout
from twisted_chat.text import names


class Room:
    """A room that people enter, talk in and leave.

    Args:
        name: what it is called.
        fanout: the readers of its log.
        clock: timers, and the seconds by which it is counted how many come and go.
        limits: how many joins and leaves are told one by one.
        now: gives the time of day, in seconds since 1970.
        state: what the events of its log have made of it until now.
    """

    def __init__(
        self,
        name: str,
        fanout: Fanout,
        clock: IReactorTime,
        limits: Limits,
        now: Callable[[], float],
        state: State,
    ) -> None:
        self.name = name
        self.key = names.key(name)
        self.fanout = fanout
        self.log = log = fanout.log
        self.state = dict(state)
        self.members: dict[str, Person] = {}  # by id
        self._presence = Presence(log, clock, limits, now)

    @property
    def topic(self) -> str:
        """What it is about; empty if nobody has said."""
        return str(self.state.get("topic", ""))

    @property
    def is_idle(self) -> bool:
        """Whether nobody would notice if this room were forgotten until somebody enters it."""
        return not self.members and self.log.settled == self.log.appended

    @property
    def shown(self) -> dict[str, Shown]:
        """The members as its log has shown them, by id.

        What is told after this makes it true. A list of all members need not become so: those
        whose join was held back may leave again without a word.
        """
        return self._presence.shown

    def enter(self, person: Person) -> None:
        """Somebody becomes a member."""
        self.members[person.id] = person
        self._presence.join(person)

    def keep(self, person: Person) -> None:
        """Somebody is a member still, after a restart of which nobody is told."""
        self.members[person.id] = person
        self._presence.keep(person)

    def leave(self, person: Person, reason: str) -> None:
        """Somebody is a member no more, if they were one: whoever is displaced is none."""
        if self.members.pop(person.id, None) is not None:
            self._presence.leave(person, reason)

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
