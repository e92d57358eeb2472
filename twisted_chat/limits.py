"""Every limit and default of the chat, each with its reason, and as the operator is told of it."""

from dataclasses import dataclass, field, fields
from typing import Any


@dataclass(frozen=True)
class Pace:
    """So many lines in so many seconds: at once, and then evenly.

    Args:
        lines: how many may come at once after a silence.
        seconds: the time in which that many come again.
    """

    lines: int
    seconds: float

    def __str__(self) -> str:
        return f"{self.lines}/{self.seconds:g}"


def _limit(default: Any, told: str, option: str | None = None) -> Any:
    return field(default=default, metadata={"told": told, "option": option})


@dataclass
class Limits:
    """What one connection, one person and one room may take.

    Who has to do with a limit holds on to this and looks at it each time, so that `become`
    changes the limits of a chat that is running.
    """

    clients: int = _limit(10_000, "Connections at once.", option="max-clients")
    """A hundred megabytes of memory at the most."""

    pace: Pace | None = _limit(
        Pace(10, 5), "How fast one may talk: off or LINES/SECONDS.", option="flood"
    )
    """Faster than anybody types, slower than anybody reads."""

    waiting_lines: int = _limit(20, "Lines over that pace that wait their turn.")
    """A pasted paragraph does, a flood does not."""

    refused_lines: Pace = _limit(
        Pace(10_000, 60), "Lines that are refused for it before one is sent away."
    )
    """A large file that was pasted by mistake is told, and forgiven."""

    answer_bytes: int = _limit(2_048, "Bytes of an answer that count as one more line.")
    """So that asking for much is no faster than reading it."""

    per_address: int = _limit(16, "Connections from one IPv4 address or IPv6 /64.")
    """A family, or a class behind one router; not a botnet."""

    nameless_per_address: int = _limit(4, "Of these, without a nickname.")
    """Nobody answers more questions at a time."""

    connections: Pace = _limit(Pace(20, 60), "New connections from one address.")
    """A laptop that wakes up makes five."""

    nickname_seconds: float = _limit(30.0, "Seconds that a connection may stay nameless.")
    """Absolute, so that a trickle does not stretch it."""

    nickname_tries: int = _limit(10, "Wrong answers to the question for a nickname.")
    """A person needs three, a guesser all."""

    nickname_characters: int = _limit(20, "Characters of a nickname.")
    """A name must leave room for the line beside it on 80 columns."""

    nickname_bytes: int = _limit(64, "Bytes of a nickname.")
    """What 20 characters of any living script take."""

    line_bytes: int = _limit(2_000, "Bytes of a line that is said.")
    """A long paragraph; anything longer belongs into a file."""

    input_bytes: int = _limit(8_192, "Bytes of unread input of one connection.")
    """The longest line, with every character escaped in JSON."""

    renames: Pace = _limit(Pace(3, 60), "Nickname changes of one person.")
    """More is a disguise, or noise."""

    presence: Pace = _limit(Pace(20, 20), "Joins and leaves told one by one in a room.")
    """What is over that is told later in one line, if it is still true."""

    presence_per_person: Pace = _limit(Pace(4, 40), "The same of one nickname.")
    """So that nobody flaps."""

    whispered_people: int = _limit(10, "People in one whisper.")
    """For more there are rooms."""

    rooms_per_person: int = _limit(50, "Rooms that one person is in.")
    """Enough for anybody who reads what they are in."""

    rooms: int = _limit(10_000, "Rooms in all.")
    """A room costs about 2 kB of memory, and 30 kB once people talk there."""

    entry_history: int = _limit(20, "Lines of history shown on entering.")
    """A screen, with room to read on."""

    history_lines: int = _limit(200, "Events in one answer or page of history.")
    """As many as anybody reads at once."""

    history_bytes: int = _limit(64 * 1024, "Bytes of text in one page of history.")
    """So that an answer is one burst at the most."""

    listed_names: int = _limit(500, "Names in one answer.")
    """A longer list is nobody's reading, and costs O(n^2) in a storm."""

    listed_rooms: int = _limit(200, "Rooms in one answer.")
    """As many as anybody looks through."""

    ignored_people: int = _limit(500, "People whom one person ignores.")
    """Each line of each of them is looked up."""

    refs: int = _limit(1_000, "Requests of one person that are not done twice.")
    """More than any client has under way."""

    accounts: int = _limit(10_000, "Accounts in all.")
    """All of them are in memory, with 500 bytes each."""

    registrations: Pace = _limit(Pace(3, 3600), "New accounts from one address.")
    """A family registers in one evening; nobody fills the disk."""

    login_tries: int = _limit(5, "Wrong passwords for one account before one has to wait.")
    """Who knows it needs three."""

    login_tries_per_address: int = _limit(20, "The same from one address, whatever the account.")
    """A class behind one router mistypes more often than one person."""

    login_wait_seconds: float = _limit(900.0, "Longest wait between two tries to log in.")
    """A hundred guesses a day find no password of eight characters."""

    resume_seconds: float = _limit(300.0, "Seconds that who lost the connection stays a member.")
    """A train's tunnel, or a restart."""

    gone_seconds: float = _limit(600.0, "Seconds for which it is known who has just left.")
    """To say so to who whispers to them."""

    close_seconds: float = _limit(3.0, "Seconds that a closing connection gets to read the end.")
    """One is enough on a bad line; who does not read holds up a restart."""

    def become(self, other: "Limits") -> None:
        """Take over other limits, for everybody who holds these."""
        for limit in fields(self):
            setattr(self, limit.name, getattr(other, limit.name))
