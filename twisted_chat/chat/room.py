"""A room: its log, its members and its state."""

from collections.abc import Callable

from twisted.internet.interfaces import IReactorTime

from twisted_chat.chat.hands import RaisedHands
from twisted_chat.chat.order import Order
from twisted_chat.chat.people import People
from twisted_chat.chat.person import Person
from twisted_chat.chat.presence import Presence, Shown
from twisted_chat.events import Entry, Join, Leave, Rename
from twisted_chat.events.effects import State
from twisted_chat.limits import Limits
from twisted_chat.log.fanout import Fanout
from twisted_chat.refusal import Refused
from twisted_chat.text import names
from twisted_chat.text.counted import counted, seconds_to_wait


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
        self.order = Order(self.state, now)
        self.members: dict[str, Person] = {}  # by id
        self._turns: dict[str, float] = {}  # when each has spoken lately, while the room is slow
        self._presence = Presence(log, clock, limits, now)
        self.announce = self._presence.announce
        """See `Presence.announce`."""
        self.hands = RaisedHands(name, log, self.order, clock, now, self.announce)

    @property
    def topic(self) -> str:
        """What it is about; empty if nobody has said."""
        return str(self.state.get("topic", ""))

    @property
    def is_new(self) -> bool:
        """Whether nothing has ever happened here, and nobody is here."""
        return not self.members and not self.log.last and self.is_idle

    @property
    def is_idle(self) -> bool:
        """Whether nobody would notice if this room were forgotten until somebody enters it."""
        is_settled = self.log.settled == self.log.appended and self.hands.is_idle
        return not self.members and is_settled

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
            self.hands.leave(person)

    # What other servers tell

    def has(self, person: Person) -> None:
        """Somebody is a member, who came to another server, and that tells the others."""
        self.members[person.id] = person

    def has_renamed(self, person: Person) -> None:
        """A member has another nickname, as the log has told."""
        self._presence.heard_renamed(person.id, person.nickname)

    def has_no_more(self, person: Person) -> None:
        """Somebody is none any more, as another server tells the others."""
        self.members.pop(person.id, None)
        self._presence.forget(person)

    def heard(self, entry: Entry, people: People) -> None:
        """Another server has told of who comes, goes, or has another nickname."""
        match entry.event:
            case Join(sender=first, also=also, persons=persons):
                for person_id, nickname in zip(persons, (first, *also), strict=True):
                    person = people.with_id(person_id)
                    if person is not None:
                        self._presence.heard_joined(person, nickname)
            case Leave(persons=persons):
                for person_id in persons:
                    self._presence.heard_left(person_id)
            case Rename(to=nickname):
                self._presence.heard_renamed(entry.author, nickname)

    def ghosts(self) -> list[str]:
        """Ids of those whom the log tells to be members, though they are none any more."""
        return self._presence.ghosts(self.members)

    def is_anybody_misnamed(self) -> bool:
        """Whether the log tells of a member by a nickname that they have no more."""
        told = ((self.members.get(each), shown) for each, shown in self.shown.items())
        return any(member and member.nickname != shown.nickname for member, shown in told)

    def tell_gone(self, person_id: str) -> None:
        """Tell of one of these."""
        self._presence.tell_gone(person_id)

    def missed(self) -> None:
        """It may have been told of some who came and went without being heard here."""
        self._presence.missed(self.members)

    def tell_left(self) -> None:
        """Tell the others at once of all who have left, even if many have."""
        self._presence.tell_left()

    def has_spoken(self, person: Person, now: float) -> None:
        """A member has said something at another server; arguments as for `take_turn`."""
        if self.order.slow:
            self._forget_turns(now)
            self._turns.pop(person.id, None)
            self._turns[person.id] = now

    def _forget_turns(self, now: float) -> None:
        """Forget who has spoken long enough ago to speak again."""
        while self._turns:  # the first spoke longest ago
            first, at = next(iter(self._turns.items()))
            if at + self.order.slow > now:
                break
            del self._turns[first]

    def take_turn(self, person: Person, now: float) -> None:
        """A member says something while the room is slow.

        Args:
            person: who.
            now: the clock's seconds.

        Raises:
            Refused: they have said something too short a time ago.
        """
        seconds = self.order.slow
        self._forget_turns(now)
        wait = self._turns.get(person.id, now - seconds) + seconds - now
        if wait > 0:
            raise Refused(
                "too-fast",
                f"{self.name} is slow, with one message every {counted(seconds, 'second')}: "
                f"wait {seconds_to_wait(wait)}.",
                wait,
            )
        self._turns[person.id] = now

    def rename(self, person: Person) -> None:
        """A member, who was announced, has another nickname."""
        self._presence.rename(person)

    def tell_renamed(self, person: Person) -> None:
        """See `Presence.tell_renamed`."""
        self._presence.tell_renamed(person)

    def raised_hands(self) -> list[Person]:
        """The members who have raised their hands, in the order of raising."""
        raised = (self.members.get(each) for each, _ in self.order.hands())
        return [person for person in raised if person is not None]

    def speaker(self) -> Person | None:
        """The member who has the word, if anybody has."""
        word = self.order.word
        return None if word is None else self.members.get(word[0])

    def hush(self) -> None:
        """Tell nothing more of who comes and goes, and the last of whose hands are raised."""
        self.hands.show()
        self._presence.close()

    def close(self) -> None:
        """Nobody is in the room any more."""
        self.hush()
        self.log.close()
