"""What people say and do: messages, topics, whispers, nicknames, and who is away."""

from collections.abc import Collection, Sequence
from functools import partial

from twisted.internet.defer import Deferred, gatherResults
from twisted.logger import Logger

from twisted_chat.chat.membership import Membership
from twisted_chat.chat.order import Role
from twisted_chat.chat.person import Person, Whispered
from twisted_chat.chat.request import Request
from twisted_chat.chat.room import Room
from twisted_chat.events import OWN, Action, Away, Entry, Message, Rename, Topic, Whisper
from twisted_chat.log.log import append_together
from twisted_chat.rate import Bucket
from twisted_chat.refusal import Refused
from twisted_chat.stores.account import Account
from twisted_chat.text import names
from twisted_chat.text.counted import seconds_to_wait

_log = Logger(namespace="chat")


class Talk(Membership):
    """What people say and do; the arguments are those of `Chat`."""

    def say(self, person: Person, room: Room, text: str, request: Request) -> None:
        """Say something in a room that one is in."""
        if not room.order.is_open:
            self._slow_down(person, room)
        now = person.spoke = self.now()
        self._append(person, room, request, Message(now, room.name, person.nickname, text))

    def act(self, person: Person, room: Room, text: str, request: Request) -> None:
        """Do something in a room that one is in."""
        if not room.order.is_open:
            self._slow_down(person, room)
        now = person.spoke = self.now()
        self._append(person, room, request, Action(now, room.name, person.nickname, text))

    def _slow_down(self, person: Person, room: Room) -> None:
        """Where a room is slow, a member without a role speaks only so often."""
        if room.order.slow and self.rights.role_of(person, room) is Role.MEMBER:
            room.take_turn(person, self.clock.seconds())

    def set_topic(self, person: Person, room: Room, text: str, request: Request) -> None:
        """Say what a room is about; an empty text takes the topic away."""
        now = person.spoke = self.now()
        self._append(person, room, request, Topic(now, room.name, person.nickname, text))

    def whisper(
        self, person: Person, others: Sequence[Person | Account], text: str, request: Request
    ) -> Deferred[None]:
        """Say something to some people alone; a whisper stands in both people's logs.

        Returns:
            Fires when it is about to be stored: the log of an account whose owner is not here
            may have to be opened; fails with `Refused`.
        """
        absent = [each.id for each in others if isinstance(each, Account)]
        opened = gatherResults(map(self.own_logs.of_account, absent), consumeErrors=True)
        return opened.addCallback(lambda _: self._whisper(person, others, text, request))

    def _whisper(
        self, person: Person, others: Sequence[Person | Account], text: str, request: Request
    ) -> None:
        entries = []
        now = person.spoke = self.now()
        for other in others:
            nickname = other.name if isinstance(other, Account) else other.nickname
            whisper = Whisper(now, OWN, person.nickname, nickname, text)
            self._observers.check(whisper)
            mine = Entry(whisper, person.id, request.ref, client=request.client, waiter=request)
            here = other if isinstance(other, Person) else self.people.with_id(other.id)
            theirs = Entry(whisper, person.id, waiter=Whispered(here, mine, request))
            log = self.own_logs.opened(other.id) if here is None else self.log_of(here)
            entries += [(self.log_of(person), mine), (log, theirs)]
        request.begin(person.connection_of(request.client))
        append_together(entries)

    def rename(
        self, person: Person, nickname: str, request: Request, by: Person | None = None
    ) -> Deferred[None]:
        """Take another nickname, once that is stored.

        Args:
            person: whose it will be.
            nickname: what they will be called.
            request: what asks for it.
            by: the administrator who wants it so, if it is not they themselves.

        Returns:
            Fires when nobody else gets it any more, and it is about to be stored; fails with
            `Refused`.

        Raises:
            Refused: why not.
        """
        name = names.nickname(nickname, self.limits)
        if name == person.nickname:
            who = f"{name} is" if by else "You are"
            raise Refused("same-nick", f"{who} already called {name}.")
        if by is None:
            self._check_pace_of_renames(person)
            self._check_nickname_is_not_banned(person, name)
            self._observers.check(Rename(self.now(), OWN, person.nickname, name))
        elif person.renaming is not None and person.renaming.is_pending:
            raise Refused("too-fast", f"{person.nickname} is just changing: try again.", 1)
        claimed = self.people.claim(name, person)
        return claimed.addCallback(lambda _: self._claimed(person, name, request, by))

    def _check_pace_of_renames(self, person: Person) -> None:
        bucket, now = person.renames or Bucket(), self.clock.seconds()
        if wait := bucket.wait(self.limits.renames, now):
            raise Refused(
                "too-fast",
                f"You are changing your nickname too often: wait {seconds_to_wait(wait)}.",
                wait,
            )

    def _check_nickname_is_not_banned(self, person: Person, nickname: str) -> None:
        ban = self.server_log.order.ban_of_nickname(nickname)
        if ban is not None and not self.is_administrator(person):
            raise Refused(
                "banned",
                f"{nickname} is banned from this server: choose another nickname.",
                until=ban.until,
            )
        for key in person.rooms:
            room = self.rooms[key]
            ban = room.order.ban_of_nickname(nickname)
            if ban is not None and self.rights.role_of(person, room) is Role.MEMBER:
                raise Refused(
                    "banned",
                    f"{nickname} is banned from {room.name}: choose another nickname, or /leave "
                    "that room first.",
                    until=ban.until,
                )

    def _claimed(self, person: Person, name: str, request: Request, by: Person | None) -> None:
        if not person.present or person.displaced:
            self.people.release(name, person)
            who = person.nickname if by else "You"
            raise Refused("closing", f"{who} left meanwhile, and nobody is called {name}.")
        if by is None:
            person.renames = person.renames or Bucket()
            person.renames.take(self.limits.renames, self.clock.seconds())
        request.begin(
            (by or person).connection_of(request.client),
            partial(self._renamed, person, name, list(person.rooms)),
            partial(self.people.release, name, person),
        )
        person.renaming = request
        for connection in person.connections:  # what they do meanwhile is done by the new name
            connection.wait_for(request)
        entries = []
        if by is not None:
            act = f"renamed {person.nickname} to {name}"
            entries.append(self.server_log.record(by, act, request=request))
        for key in person.rooms:
            room = self.rooms[key]
            room.announce(person, to=name)
            rename = Rename(self.now(), room.name, person.nickname, name)
            entry = Entry(rename, person.id, waiter=request)
            if by is None:
                entry.ref, entry.client = request.ref, request.client
            entries.append((room.log, entry))
        append_together(entries)

    def _renamed(self, person: Person, nickname: str, told: Collection[str]) -> None:
        old = person.nickname
        self.people.rename(person, nickname)
        for key in person.rooms:
            if key in told:
                self.rooms[key].rename(person)
            else:  # which they have entered meanwhile, perhaps over another server
                self.rooms[key].tell_renamed(person)
        self.publish(person)
        _log.info("{old} is now {nick}", old=old, nick=nickname)

    def set_away(self, person: Person, reason: str | None) -> None:
        """Go away, or come back (None)."""
        self._observers.check(Away(self.now(), OWN, person.nickname, reason or ""))
        if reason and not self.may_speak_everywhere(person):
            reason = "not here just now"  # a note would be heard where they may not speak
        person.away = reason
        person.told_away = ()
        for key in person.rooms:
            room = self.rooms[key]
            room.announce(person)
            now = person.spoke = self.now()
            room.log.append(Entry(Away(now, room.name, person.nickname, reason or ""), person.id))
        self.publish(person)

    def _append(
        self, person: Person, room: Room, request: Request, event: Message | Action | Topic
    ) -> None:
        self._observers.check(event)
        room.announce(person)
        request.begin(person.connection_of(request.client))
        room.log.append(Entry(event, person.id, request.ref, 0, request.client, request))
