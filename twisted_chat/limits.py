"""Every limit and its default, with the reason, and the description for operators."""

from dataclasses import dataclass, field, fields
from typing import Any


@dataclass(frozen=True)
class Pace:
    """A rate limit: so many lines at once, and as many again evenly over some seconds.

    Args:
        lines: how many may come at once.
        seconds: the time in which as many more are allowed.
    """

    lines: int
    seconds: float

    def __str__(self) -> str:
        return f"{self.lines}/{self.seconds:g}"


class Size(int):
    """Bytes that show as they are written: `10MB`."""

    def __str__(self) -> str:
        for unit, size in (("GB", 10**9), ("MB", 10**6), ("kB", 1000)):
            if self and not self % size:
                return f"{self // size}{unit}"
        return f"{int(self)}"


def _limit(default: Any, told: str, option: str | None = None) -> Any:
    return field(default=default, metadata={"told": told, "option": option})


@dataclass
class Limits:
    """What one connection, one person and one room may take.

    Code that applies a limit keeps this object and reads it each time, so that `become`
    changes the limits of a running chat.
    """

    clients: int = _limit(10_000, "Most connections at once.", option="max-clients")
    """At most a hundred megabytes of memory."""

    pace: Pace | None = _limit(
        Pace(10, 5), "Rate limit for messages: LINES/SECONDS, or off.", option="flood"
    )
    """Faster than anybody types, slower than anybody reads."""

    waiting_lines: int = _limit(20, "Lines over the rate limit that are queued; more are refused.")
    """Enough for a pasted paragraph, not for a flood."""

    refused_lines: Pace = _limit(
        Pace(10_000, 60), "Rate of refused lines at which somebody is disconnected."
    )
    """Somebody who pastes a large file by mistake is not disconnected."""

    answer_bytes: int = _limit(
        2_048, "Bytes of an answer that count as one line of the rate limit."
    )
    """So that nobody can request data faster than they read it."""

    per_address: int = _limit(16, "Connections from one IPv4 address or IPv6 /64.")
    """Enough for a family or a class behind one router."""

    nameless_per_address: int = _limit(4, "Connections from one address that have no nickname yet.")
    """Nobody chooses more nicknames at the same time."""

    connections: Pace = _limit(Pace(20, 60), "Rate limit for new connections from one address.")
    """A laptop that wakes up makes about five."""

    nickname_seconds: float = _limit(30.0, "Seconds to choose a nickname.")
    """In total, so that sending slowly does not extend it."""

    nickname_tries: int = _limit(10, "Attempts to choose a nickname.")
    """A person needs about three."""

    nickname_characters: int = _limit(20, "Longest nickname, in characters.")
    """On 80 columns, there must be room for the message next to the name."""

    nickname_bytes: int = _limit(64, "Longest nickname, in bytes.")
    """What 20 characters of any living script take."""

    line_bytes: int = _limit(2_000, "Longest message, in bytes.")
    """A long paragraph; anything longer belongs in a file."""

    input_bytes: int = _limit(8_192, "Most unprocessed input of one connection, in bytes.")
    """The longest line, with every character escaped in JSON."""

    renames: Pace = _limit(Pace(3, 60), "Rate limit for nickname changes of one person.")
    """More would be a disguise, or noise."""

    replacements: Pace = _limit(
        Pace(10, 60), "Rate limit for resuming a session whose connection is still there."
    )
    """An unstable line needs fewer; two programs with one token would go on for ever."""

    presence: Pace = _limit(
        Pace(20, 20), "Rate up to which a room's joins and leaves are shown one by one."
    )
    """The rest is announced later in one line, if still true."""

    presence_per_person: Pace = _limit(
        Pace(4, 40), "Rate up to which joins and leaves of one nickname are shown."
    )
    """So that an unstable connection does not fill the room with joins and leaves."""

    whispered_people: int = _limit(10, "Most recipients of one whisper.")
    """A room is better for more."""

    rooms_per_person: int = _limit(50, "Most rooms one person can be in.")
    """Enough for anybody who reads what they are in."""

    rooms: int = _limit(10_000, "Most rooms in total.")
    """A room costs about 2 kB of memory, and 30 kB once people talk there."""

    entry_history: int = _limit(20, "Lines of history shown to somebody who joins a room.")
    """A screen, with room to read on."""

    history_lines: int = _limit(200, "Most events in one answer or page of history.")
    """As many as a person reads at once."""

    history_bytes: int = _limit(64 * 1024, "Most bytes of text in one page of history.")
    """So that an answer is at most one burst of output."""

    listed_names: int = _limit(500, "Most names in one answer.")
    """Nobody reads a longer list, and it would cost O(n^2) when many people join."""

    listed_rooms: int = _limit(200, "Most rooms in one answer.")
    """As many as a person looks through."""

    ignored_people: int = _limit(500, "Most people one person can ignore.")
    """Every message is checked against this list."""

    roles: int = _limit(200, "Most people with a role in one room.")
    """A refusal names them."""

    bans: int = _limit(500, "Most bans in one room.")
    """Each takes some hundred bytes of memory, and masks are tried one by one."""

    mutes: int = _limit(500, "Most mutes in one room.")
    """As of bans."""

    invites: int = _limit(500, "Most invitations to one room.")
    """For more there is a key."""

    file_size: Size = _limit(Size(10_000_000), "Largest file that can be sent to a room.")
    """A photograph, a long document."""

    file_quota: Size = _limit(
        Size(100_000_000), "Most bytes of files from one account, or from one address without one."
    )
    """So that one person does not take the place of all."""

    file_total: Size = _limit(Size(2_000_000_000), "Most bytes of files in total.")
    """Less than is free on most disks."""

    refs: int = _limit(
        1_000, "Request IDs remembered for each person, to detect repeated requests."
    )
    """More than any client has pending."""

    accounts: int = _limit(10_000, "Most registered accounts.")
    """All of them are in memory, with 800 bytes each."""

    registrations: Pace = _limit(Pace(3, 3600), "Rate limit for new accounts from one address.")
    """A family registers in one evening; nobody fills the disk."""

    login_tries: int = _limit(5, "Wrong passwords for one account before logging in is delayed.")
    """Who knows it needs three."""

    login_tries_per_address: int = _limit(
        20, "Wrong passwords from one address before logging in is delayed."
    )
    """A class behind one router mistypes more often than one person."""

    login_wait_seconds: float = _limit(900.0, "Longest delay after wrong passwords, in seconds.")
    """A hundred guesses a day find no password of eight characters."""

    resume_seconds: float = _limit(
        300.0, "Seconds for which a disconnected person stays a member and can resume."
    )
    """Long enough for a train in a tunnel, or a restart."""

    devices_per_account: int = _limit(10, "Devices that are logged in to one account.")
    """More than anybody carries."""

    remember_seconds: float = _limit(
        90 * 86400.0, "Seconds for which a device stays logged in that asked to be remembered."
    )
    """As long as a name stays registered that is not used."""

    gone_seconds: float = _limit(
        600.0, "Seconds for which the nicknames of people who left are remembered."
    )
    """So that anyone who whispers to them is told that they have left."""

    close_seconds: float = _limit(3.0, "Seconds a closing connection has to receive the rest.")
    """One is enough on a bad line; a client that does not read delays a restart."""

    def become(self, other: "Limits") -> None:
        """Replace the values by those of other limits, for everything that uses this object."""
        for limit in fields(self):
            setattr(self, limit.name, getattr(other, limit.name))
