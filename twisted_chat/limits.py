"""Every limit and default of the chat, each with its reason."""

from dataclasses import dataclass


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


@dataclass(frozen=True)
class Limits:
    """What one connection, one person and one room may take."""

    clients: int = 10_000
    """Connections at once: a hundred megabytes of memory at the most."""

    per_address: int = 16
    """Connections from one IPv4 address or IPv6 /64: a family, not a botnet."""

    nameless_per_address: int = 4
    """Of these, without a nickname: nobody answers more questions at a time."""

    connections: Pace = Pace(20, 60)
    """New connections from one address: a laptop that wakes up makes five."""

    nickname_characters: int = 20
    """A name must leave room for the line beside it on 80 columns."""

    nickname_bytes: int = 64
    """What 20 characters of any living script take."""

    line_bytes: int = 2_000
    """A long paragraph; anything longer belongs into a file."""

    input_bytes: int = 8_192
    """Unread input of one connection: the longest line, with every character escaped in JSON."""

    nickname_seconds: float = 30.0
    """How long a connection may stay nameless; absolute, so that a trickle does not stretch it."""

    nickname_tries: int = 10
    """Wrong answers to the question for a nickname: a person needs three, a guesser all."""

    resume_seconds: float = 300.0
    """How long a structured client that lost its connection stays a member."""

    rooms_per_person: int = 50
    """Enough for anybody who reads what they are in."""

    rooms: int = 10_000
    """A room costs about 2 kB of memory."""

    entry_history: int = 20
    """Lines of history shown on entering: a screen, with room to read on."""

    history_lines: int = 200
    """Events in one answer or page."""

    history_bytes: int = 64 * 1024
    """Text in one page, so that an answer is one burst at the most."""

    listed_names: int = 500
    """Names in one answer; a longer list is nobody's reading, and costs O(n^2) in a storm."""

    refs: int = 1_000
    """Requests remembered per person, so that one that is sent again is not done again."""

    pace: Pace | None = Pace(10, 5)
    """Faster than anybody types, slower than anybody reads."""

    waiting_lines: int = 20
    """What is over the pace waits its turn: a pasted paragraph does, a flood does not."""

    whispered_people: int = 10
    """People in one whisper: for more there are rooms."""

    presence: Pace = Pace(20, 20)
    """Joins and leaves told in one room; what is over that is told later, if it is still true."""

    presence_per_person: Pace = Pace(4, 40)
    """The same for one nickname, so that nobody flaps."""

    renames: Pace = Pace(3, 60)
    """Nickname changes of one person: more is a disguise, or noise."""

    gone_seconds: float = 600.0
    """How long it is remembered who has just left, to say so to who whispers to them."""

    close_seconds: float = 3.0
    """What a connection that is being closed gets for reading its last lines."""
