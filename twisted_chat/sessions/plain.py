"""A session in plain lines: netcat, telnet, any terminal."""

from collections.abc import Sequence
from functools import partial

from twisted.internet.defer import Deferred, succeed

from twisted_chat.chat.chat import Chat
from twisted_chat.chat.person import Person
from twisted_chat.chat.request import Request
from twisted_chat.chat.room import Room
from twisted_chat.commands import account, people, table
from twisted_chat.commands.command import Lines
from twisted_chat.events import OWN, Entry, Message, Whisper
from twisted_chat.log.fanout import Fanout
from twisted_chat.log.window import rendered
from twisted_chat.refusal import Refused
from twisted_chat.sessions.frontend import Frontend
from twisted_chat.sessions.reading import Decorate
from twisted_chat.sessions.session import Session
from twisted_chat.text import names
from twisted_chat.text.calling import Call
from twisted_chat.text.cleaning import clean, is_blank, note_on
from twisted_chat.text.counted import seconds_to_wait
from twisted_chat.text.passwords import Password
from twisted_chat.wire import foreign, keys
from twisted_chat.wire.plain import PlainWire, line

QUESTION = "What is your nickname?"
BELL = b"\a"
_FAREWELLS = ("bye", "goodbye", "logout", "logoff", "q", ":q!", ":wq", ":x")
"""What people type when they want to leave, but might also want to say."""
_LONGEST_FAREWELL = max(map(len, _FAREWELLS))

SHOWN_NAMES = 50
"""Names shown on joining a room: if many join at once, everybody gets this list."""


def greeting(chat: Chat) -> bytes:
    """The first line that the server sends."""
    return line(f"Welcome to {chat.name}. {QUESTION}")


class PlainSession(Session):
    """A session in plain lines; the arguments are those of `Session`."""

    def __init__(self, chat: Chat, frontend: Frontend, wire: PlainWire) -> None:
        super().__init__(chat, frontend, wire)
        self._wanted = ""  # the registered name whose password they are asked for
        self._bell = "off"
        self._call: Call | None = None  # by name, once they asked to hear it
        self._asked_about = ""
        self._told_too_late = False
        self._told_too_fast = 0.0  # when they were told last

    def answer_nickname(self, line: bytes) -> None:
        """Take a line for the answer to the question; see `Conversation.answer_nickname`."""
        stranger = foreign.recognize(line)
        if stranger:
            self.chat.counters.refusals["stranger"] += 1
            self._say("!!! " + stranger)
            self.hang_up()
        elif line.endswith(keys.KEYS):
            self.hang_up()
        else:
            self._take_nickname(clean(line, self.chat.limits.line_bytes))

    def answer_password(self, line: bytes) -> None:
        """Take a line for a password; see `Conversation.answer_password`."""
        self._frontend.hide_typing(is_hidden=False)
        if line.endswith(keys.KEYS) or line.strip().lower() == b"/quit":
            self.hang_up()
            return
        text = clean(line, self.chat.limits.line_bytes)
        if is_blank(text):
            raise Refused("bad-password", "That was no password: choose a nickname.")
        self._come_as(self._wanted, text)

    def _come_as(self, name: str, password: str) -> None:
        self._log_in(name, Password(password), self._new_device(), self._welcome)

    def handle(self, line: bytes) -> None:
        """Do what a line says; see `Conversation.handle`."""
        if line.endswith(keys.KEYS):
            self._press(line)
            return
        text = clean(line, self.chat.limits.line_bytes)
        if self._asks_about(text):
            return
        command = table.parse(text)
        if command is not None:
            self._show(table.run(self, *command))
        elif not is_blank(text):
            table.say(self, None, text.removeprefix("/"))  # of two, or it were a command
        if note := note_on(line):
            self._say(f"*** {note}")

    def _press(self, line: bytes) -> None:
        """A control key has ended a line, which is not sent."""
        if line == keys.CTRL_D:
            self.chat.quit(self.person, self.device, "")
        else:
            note = ": that line was not sent." if line[1:] else "."
            self._say(f"*** To leave, type /quit{note}")

    def _asks_about(self, text: str) -> bool:
        """Whether a line looks like an attempt to leave; it is sent if it is typed again."""
        word = text.strip()
        if len(word) > _LONGEST_FAREWELL:
            self._asked_about = ""
            return False
        asked, word = self._asked_about, word.lower()
        self._asked_about = word if word in _FAREWELLS and word != asked else ""
        if self._asked_about:
            self._say(f"*** That was not sent. To leave, type /quit; to say it, type {word} again.")
        return bool(self._asked_about)

    def refuse(self, why: Refused, ref: str | None = None) -> None:
        """Say why something is not done."""
        self._say(f"!!! {why.text}")

    def ask(self) -> None:
        """Ask for a nickname once more."""
        self._frontend.hide_typing(is_hidden=False)
        self._say(QUESTION)

    def note(self, text: str) -> None:
        """Say something that they should know."""
        self._say(f"*** {text}")

    def too_late(self, line: bytes) -> None:
        """Lines come too late to be done: say so once."""
        if not self._told_too_late:
            self._told_too_late = True
            self.refuse(table.too_late())

    def too_fast(self, line: bytes, wait: float) -> None:
        """Lines are refused by the rate limit: say so once until that time is over."""
        now = self.chat.clock.seconds()
        if not self._told_too_fast <= now < self._told_too_fast + wait:
            self._told_too_fast = now
            self._say(
                f"!!! You are sending too fast, and lines are lost: wait {seconds_to_wait(wait)}."
            )

    def announce(self, text: str) -> None:
        """Say something before there is a person to tell it."""
        self._say(f"!!! {text}")

    def _say(self, text: str) -> None:
        self._frontend.write(line(text))

    def _show(self, answer: Lines | Deferred[Lines]) -> None:
        answered = answer if isinstance(answer, Deferred) else succeed(answer)
        answered.addCallback(partial(self._wait_for_name, self.request))
        self._answer_after(answered, self._show_lines, self.request)

    def _wait_for_name(self, request: Request, lines: Lines) -> Lines:
        if self.person.renaming is request:
            self.wait_for(request)
        return lines

    def _show_lines(self, lines: Sequence[str | Entry]) -> None:
        me = self.person
        self._keep()
        self.answer(
            b"".join(
                line(f"*** {each}")
                if isinstance(each, str)
                else rendered(self._wire, seen, each.by(me.id, self.client), replayed=True)
                if (seen := me.view(each)) is not None
                else b""
                for each in lines
            )
        )

    # Taking a nickname

    def _take_nickname(self, text: str) -> None:
        command = table.parse(text)
        meant = table.BY_WORD.get(command[0]) if command is not None else None
        if is_blank(text):
            self._ask_again()
        elif meant is table.BY_WORD["quit"]:
            self.hang_up()
        elif meant is table.BY_WORD["help"]:
            self._say("*** Type the name that others will see, then press Enter. /quit leaves.")
            self._ask_again()
        elif command is not None and meant is table.BY_WORD["login"]:
            self._take_name(command[1])
        else:
            self._take_name(text)

    def _take_name(self, text: str) -> None:
        proof = account.name_and_password(self, text)
        owner = self.chat.accounts.owner_of(text)
        if proof is not None:
            self._come_as(*proof)
        elif owner is not None:
            self.check_privacy()
            self._wanted = owner.name
            self._say(f"Password for {owner.name}:")
            self._frontend.hide_typing(is_hidden=True)
            self._happens(self._row.asked_password)
        else:
            self._enter(text, self._new_device(), self._welcome)

    def _welcome(self, person: Person) -> None:
        here = self.chat.rooms[next(reversed(person.rooms))].name if person.rooms else names.LOBBY
        self._say(
            f"*** Welcome, {person.nickname}! You are in {here}. "
            "/help lists the commands, /quit leaves."
        )
        for each in self.chat.motd:
            self._say(f"*** {each}")
        self._bell = person.bell
        self._answer_after(self._come_in(person), self._keep, self.request)

    def _keep(self, _: object = None) -> None:
        self.chat.keep(self.person, self.device)

    def begin(self, room: str, fanout: Fanout) -> int:
        """See `Conversation.begin`: what was said last is shown, unless they have read it, and
        what is new for them alone.
        """
        if room == OWN:
            return self.person.read_elsewhere(self.device)
        last, read = fanout.log.last, self.person.marks.get(room, 0)
        return max(0, last - self.chat.limits.entry_history, read if read <= last else 0)

    def describe(self, room: Room) -> None:
        """Say who is in a room, and what it is about."""
        self._say(f"*** {people.who(room, self, SHOWN_NAMES)}")
        if room.topic:
            self._say(f"*** The topic of {room.name} is: {room.topic}")

    # The bell

    def ring(self, when: str) -> str:
        """See `command.Caller.ring`."""
        if when not in ("", "off", "name", "whisper", "all"):
            raise Refused("usage", "Say when: /bell off, name, whisper or all")
        if when:
            self._bell = self.person.bell = when
            self.redecorate()
        return self._bell

    @property
    def decorate(self) -> Decorate | None:
        """See `Conversation.decorate`."""
        return None if self._bell == "off" else self._ring

    def _ring(self, entry: Entry, line: bytes) -> bytes:
        event = entry.event
        if entry.author == self.person.id:
            return line
        whispered = isinstance(event, Whisper)
        named = self._bell == "name" and isinstance(event, Message) and self._calls_me(event.text)
        rings = self._bell == "all" or whispered or named
        return line.removesuffix(b"\r\n") + BELL + b"\r\n" if rings else line

    def _calls_me(self, text: str) -> bool:
        if self._call is None or self._call.name != self.person.key:
            self._call = Call(self.person.key)
        return self._call.is_in(text)
