"""How a program comes, or comes back to what it had not seen."""

from functools import partial
from typing import Any

from twisted_chat.chat.chat import Chat
from twisted_chat.chat.device import Device, epoch_of
from twisted_chat.chat.person import Person
from twisted_chat.commands import table
from twisted_chat.events import OWN
from twisted_chat.log.fanout import Fanout
from twisted_chat.refusal import Refused
from twisted_chat.sessions.fields import seen_of
from twisted_chat.sessions.frontend import Frontend
from twisted_chat.sessions.session import Session
from twisted_chat.text.cleaning import clean
from twisted_chat.text.counted import seconds_to_wait
from twisted_chat.text.passwords import Password
from twisted_chat.wire.structured import StructuredWire, timestamp

COMMANDS = [
    {
        "name": f"/{command.name}",
        "usage": command.usage,
        "help": command.help,
        "aliases": [f"/{alias}" for alias in command.aliases],
    }
    for command in table.COMMANDS
]


class HelloSession(Session):
    """The beginning of a conversation in structured lines; what is asked for then is in a subclass.

    Args:
        chat: what the conversation is about.
        frontend: the connection that carries it.
        wire: how events are shown on it.
    """

    _wire: StructuredWire
    may_resume = tells_members = True

    def __init__(self, chat: Chat, frontend: Frontend, wire: StructuredWire) -> None:
        super().__init__(chat, frontend, wire)
        self._seen: dict[str, int] = {}  # by the room's key, what a client saw before it came back
        self._is_of_old = False  # whether that was before the numbers began anew

    def _write(self, thing: dict[str, Any]) -> None:
        self.answer(self._wire.encode(thing))

    def _hello(self, thing: dict[str, Any]) -> None:
        if self.is_in:
            raise Refused("bad-request", "You already said hello: /nick changes your nickname.")
        epoch, token, nickname = map(thing.get, ("epoch", "session", "nick"))
        self._seen = seen_of(thing, self.chat.limits.rooms_per_person + 1)
        found = self._holder_of(token)
        if epoch is None and isinstance(token, str):
            epoch = epoch_of(token)
        if epoch is not None:
            self._is_of_old = epoch != self.chat.epoch
        if found is not None:
            person, device = found
            welcome_back = partial(self._welcome_back, before=person.nickname)
            wanted = nickname if isinstance(nickname, str) else None
            if device.is_here:
                self._entered(person, device, welcome_back, wanted)
                return
            brought = self.chat.bring_here(person, device)
            enter = partial(self._entered, person, device, welcome_back, wanted)
            self._answer_after(brought, lambda _: enter(), self.request)
            return
        woken = self.chat.wake(token) if isinstance(token, str) else None
        if woken is not None:
            account, device = woken
            device.address = self.address
            self._come(self.chat.enter_as(account, device), device, self._welcome)
            return
        if not isinstance(nickname, str):
            raise Refused("bad-nick", 'The nickname is missing: send {"do":"hello","nick":"..."}')
        self._hello_anew(thing, clean(nickname, self.chat.limits.line_bytes))

    def _hello_anew(self, thing: dict[str, Any], nickname: str) -> None:
        password, beside = thing.get("password"), thing.get("beside")
        is_quiet, is_remembered = thing.get("quiet") is True, thing.get("remember") is True
        device = self._new_device(
            is_quiet=is_quiet, is_remembered=is_remembered and password is not None
        )
        if isinstance(password, str):
            self._log_in(nickname, Password(password), device, self._welcome)
        elif password is not None:
            raise Refused("bad-request", '"password" must be a string.')
        elif isinstance(beside, str) and (account := self.chat.account_of(beside)):
            self._come(self.chat.enter_as(account, device, beside=beside), device, self._welcome)
        else:
            self._enter(nickname, device, self._welcome)

    def _holder_of(self, token: object) -> tuple[Person, Device] | None:
        """Whose session it is, once all is done that they said over another connection."""
        found = self.chat.find_session(token) if isinstance(token, str) else None
        if found is not None:
            person, device = found
            if device.connection is not None:
                self._check_pace_of_replacing(device)
                device.connection.replace()
            if person.present and device.id in person.devices:  # else they have just left
                return found
        return None

    def _check_pace_of_replacing(self, device: Device) -> None:
        pace, now = self.chat.limits.replacements, self.chat.clock.seconds()
        if wait := device.replaced.wait(pace, now):
            raise Refused(
                "too-fast",
                "Two programs are using this session in turn: end one of them, or wait "
                f"{seconds_to_wait(wait)}.",
                wait,
            )
        device.replaced.take(pace, now)

    def _welcome_back(self, person: Person, before: str) -> None:
        if not person.rooms:  # the other server was gone before they were in any
            self.chat.enter_room(person, self.chat.lobby)
        self._greet(person, resumed=True)
        if person.fanout is not None:
            self._seen.setdefault(OWN, 0)
            self.follow(OWN, person.fanout)
            self._reading.when_read(OWN, _nothing)
        for key, entered in person.rooms.items():
            self._seen.setdefault(key, entered)
            self.follow(key, self.chat.rooms[key].fanout)
            self.entered(key)
        joined = self._arrival.enter(person, person.entering)
        device_room = self.device.room
        typed_into = device_room if device_room in person.rooms else next(reversed(person.rooms))
        self.talk_in(self.chat.rooms[typed_into])
        if person.nickname != before:
            self.chat.tell(
                person,
                f"Somebody else took the nickname {before}: you are now {person.nickname}.",
            )
        self._answer_after(joined, lambda _: self._all_joined(), self.request)

    def _welcome(self, person: Person) -> None:
        self._greet(person, resumed=False)
        others = [key for key in self._seen if key not in (OWN, self.chat.lobby.key)]
        joined = self._come_in(person, others)
        self._answer_after(joined, lambda _: self._all_joined(), self.request)

    def _all_joined(self) -> None:
        self._forget_seen()
        self.chat.keep(self.person, self.device)

    def _forget_seen(self) -> None:
        """Who leaves a room and enters it anew is a newcomer, unless it is still being opened."""
        opening = self.chat.rooms.opening
        self._seen = {key: seen for key, seen in self._seen.items() if key in opening}

    def _greet(self, person: Person, *, resumed: bool) -> None:
        welcome: dict[str, Any] = {
            "event": "welcome",
            "nick": person.nickname,
            "session": self.device.token,
            "resumed": resumed,
            "server": self.chat.name,
            "epoch": self.chat.epoch,
            "time": timestamp(self.chat.now()),
            "limits": {
                "line_bytes": self.chat.limits.line_bytes,
                "input_bytes": self.chat.limits.input_bytes,
                **({"file_size": self.chat.limits.file_size} if self.chat.files else {}),
            },
            "motd": list(self.chat.motd),
            "commands": COMMANDS,
        }
        if self.chat.addresses:
            welcome["addresses"] = list(self.chat.addresses)
        if person.account:
            welcome["account"] = self.chat.accounts.name_of(person.account)
        if person.rooms:
            welcome["rooms"] = [self.chat.rooms[key].name for key in person.rooms]
        if person.ignored:
            welcome["ignored"] = [each.nickname for each in person.ignored.values()]
        if read := self.chat.read_marks_of(person):
            welcome["read"] = read
        self._write(welcome)

    def begin(self, room: str, fanout: Fanout) -> int:
        """See `Conversation.begin`: after what they have seen, or before what was said last."""
        log, seen = fanout.log, self._seen.pop(room, None)
        if seen is None:
            last_ones = max(0, log.last - self.chat.limits.entry_history)
            return self._after_whispers(last_ones) if room == OWN else last_ones
        if self._is_of_old or seen > log.last:
            self._frontend.write(self._wire.missed(log.room, 0))  # how much is not known
            return 0
        return seen

    def _after_whispers(self, last_ones: int) -> int:
        """The last number in their own log that need not be shown here: no device has to show it,
        and they have read it, as far as they have said so; but no more than the last ones again.
        """
        shown, read = self.person.read_elsewhere(self.device), self.person.marks.get(OWN)
        return shown if read is None else min(shown, max(read, last_ones))


def _nothing() -> None:
    """Nothing is said when one's own log is read."""
