"""What somebody sees, whatever it looked like on their screen."""

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True)
class Said:
    """Somebody said something in a room."""

    who: str
    text: str
    room: str = "#lobby"


@dataclass(frozen=True)
class Did:
    """Somebody did something in a room: `/me waves`."""

    who: str
    text: str
    room: str = "#lobby"


@dataclass(frozen=True)
class Sent:
    """Somebody sent a file to a room; there is no address once it is gone."""

    who: str
    name: str
    url: str
    room: str = "#lobby"


@dataclass(frozen=True)
class Whispered:
    """Somebody said something to one person alone."""

    who: str
    to: str
    text: str


@dataclass(frozen=True)
class Joined:
    """Somebody entered a room."""

    who: str
    room: str = "#lobby"


@dataclass(frozen=True)
class Left:
    """Somebody left a room."""

    who: str
    reason: str = ""
    room: str = "#lobby"


@dataclass(frozen=True)
class Renamed:
    """Somebody took another nickname; seen once in each room."""

    who: str
    to: str


@dataclass(frozen=True)
class TopicSet:
    """Somebody gave a room a topic, or took it away."""

    who: str
    text: str
    room: str = "#lobby"


@dataclass(frozen=True)
class Noticed:
    """The server announced something."""

    text: str


@dataclass(frozen=True)
class Welcomed:
    """They have a nickname now."""

    nickname: str


@dataclass(frozen=True)
class Here:
    """Who is in a room."""

    names: tuple[str, ...]
    room: str = "#lobby"


@dataclass(frozen=True)
class TopicIs:
    """What a room is about."""

    text: str
    room: str = "#lobby"


@dataclass(frozen=True)
class Told:
    """A line of an answer that is none of the others."""

    text: str


@dataclass(frozen=True)
class Refusal:
    """Something could not be done."""

    text: str


Seen: TypeAlias = (
    Said
    | Sent
    | Did
    | Whispered
    | Joined
    | Left
    | Renamed
    | TopicSet
    | Noticed
    | Welcomed
    | Here
    | TopicIs
    | Told
    | Refusal
)
