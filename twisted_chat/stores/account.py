"""An account as it is kept: a name that is somebody's."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from twisted_chat.refusal import Refused
from twisted_chat.text import names


@dataclass(frozen=True)
class Account:
    """A name that is somebody's, and what is theirs whether or not they are here.

    Args:
        id: the id of whoever registered it, under which their own log is kept too.
        name: what they are called, as they typed it.
        password: its Argon2id hash (a PHC string); empty where the site checks passwords.
        created: when it was made, in seconds since 1970.
        used: when somebody was last logged in, to the hour.
        places: from where they have logged in lately (see `addresses.neighbourhood`), the last
            one first.
        is_locked: whether nobody may log in.
        is_admin: whether they are an administrator of the server.
        settings: what they have set, as JSON has it.
    """

    id: str
    name: str
    password: str = field(repr=False)
    created: float
    used: float
    places: tuple[str, ...] = ()
    is_locked: bool = False
    is_admin: bool = False
    settings: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def key(self) -> str:
        """What makes its name the same as another (see `names.key`)."""
        return names.key(self.name)


def name_taken(name: str) -> Refused:
    """What is said when another account has a name."""
    return Refused("nick-taken", f"The nickname {name} is registered already: choose another one.")
