"""A room as the client knows it: who is there, what was seen of it, and what was not."""

from dataclasses import dataclass, field

from twisted_chat.client.incoming import Member, State
from twisted_chat.text.names import key


@dataclass(slots=True)
class Room:
    """A room that we are in.

    Args:
        name: as the server shows it.
    """

    name: str
    members: dict[str, Member] = field(default_factory=dict)
    count: int = 0
    seen: int = 0
    unread: int = 0
    called: bool = False  # our name stands in what is unread
    entered: bool = False  # the server has told who is here
    speakers: list[str] = field(default_factory=list)  # keys of nicknames, the last one first

    def people(self) -> list[Member]:
        """Who is here: the last speaker first, then by name."""
        spoke = [self.members[name] for name in self.speakers if name in self.members]
        rest = sorted(name for name in self.members if name not in self.speakers)
        return spoke + [self.members[name] for name in rest]

    def read(self) -> None:
        """Everything that was said here has been seen."""
        self.unread = 0
        self.called = False

    def described(self, told: State) -> bool:
        """The server says who is here; gives whether we have just entered."""
        self.name = told.room
        self.members = {key(member.nick): member for member in told.members}
        self.count = told.count
        entered, self.entered = not self.entered, True
        return entered

    def spoke(self, nick: str) -> None:
        """Somebody said something."""
        speaker = key(nick)
        if speaker in self.speakers:
            self.speakers.remove(speaker)
        self.speakers.insert(0, speaker)

    def renamed(self, old: str, new: str) -> None:
        """Somebody has another nickname."""
        member = self.members.pop(key(old), None)
        if member:
            member.nick = new
            self.members[key(new)] = member
        self.speakers = [key(new) if name == key(old) else name for name in self.speakers]

    def joined(self, nick: str, account: str = "") -> None:
        """Somebody came, who may have an account."""
        if key(nick) not in self.members:
            self.members[key(nick)] = Member(nick, account=account)
            self.count += 1

    def left(self, nick: str) -> None:
        """Somebody went; in a crowd it may be one who was not listed."""
        listed = self.members.pop(key(nick), None)
        if listed or self.count > len(self.members):
            self.count -= 1
