"""The configuration file: TOML, with the same option names as the command line."""

import difflib
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from twisted_chat.service.known_options import Option

TABLE = "limits"
"""A table in which limits can be grouped."""

_PLACE = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)$")


class Mistake(Exception):
    """A mistake in a configuration file; the text says what and in which line."""


def arguments(path: Path, options: Mapping[str, Option]) -> list[str]:
    """A configuration file as command-line arguments.

    Args:
        path: the file.
        options: every option that it may have, by name.

    Raises:
        Mistake: why not.
    """
    try:
        text = path.read_text(encoding="utf-8")
        content = tomllib.loads(text)
    except OSError as error:
        raise Mistake(f"cannot read --config {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise Mistake(f"{path} is not UTF-8") from error
    except tomllib.TOMLDecodeError as error:
        raise Mistake(f"{path}{_why_no_toml(str(error), text)}") from error
    except ValueError as error:  # of Python, which reads numbers of some thousand digits at most
        raise Mistake(f"{path} has a number with far too many digits") from error
    except RecursionError as error:
        raise Mistake(f"{path} is nested far too deeply") from error
    table = content.pop(TABLE, {})
    given = [*content.items(), *(table.items() if isinstance(table, dict) else ((TABLE, table),))]
    words = []
    for name, value in given:
        try:
            words += _words(name, value, options)
        except ValueError as error:
            raise Mistake(f"{path}, line {_line(text, name)}: {error}") from error
    return words


def _why_no_toml(told: str, text: str) -> str:
    """The parser's message, with the line number first, like all messages about a file."""
    place = _PLACE.search(told)
    number = place[1] if place and place[1] else len(text.splitlines())
    why = _PLACE.sub("", told)
    why = why[:1].lower() + why[1:]
    if why == "cannot overwrite a value":
        why = "this option already has a value"
    return f", line {number}: {why}"


def _words(name: str, value: object, options: Mapping[str, Option]) -> list[str]:
    if name in ("config", "check"):
        raise ValueError(f"{name} can only be given on the command line")
    option = options.get(name)
    if option is None:
        meant = difflib.get_close_matches(name, options, 1)
        raise ValueError(
            f"there is no option {name}" + (f": did you mean {meant[0]}?" if meant else "")
        )
    if option.is_flag:
        if not isinstance(value, bool):
            raise ValueError(f"{name} must be true or false")
        return [f"--{name}"] if value else []
    return [
        f"--{name}={_text(option, each)}"
        for each in (value if option.is_list and isinstance(value, list) else [value])
    ]


def _text(option: Option, value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError(f"{option.name} must be a string or a number")  # noqa: TRY004 - of the file
    if isinstance(value, int) and abs(value) >= 10**20:  # Python may refuse to write it down
        raise ValueError(f"{option.name} has far too many digits")
    if "\0" in str(value):
        raise ValueError(f"{option.name} cannot have a NUL character")
    try:
        option.read(str(value))
    except ValueError as error:
        raise ValueError(f"{option.name} {error}") from error
    return str(value)


def _line(text: str, name: str) -> int:
    key = re.compile(rf"""\s*["']?{re.escape(name)}["']?\s*[=.\]]|\s*\[{re.escape(name)}]""")
    return next((n for n, line in enumerate(text.splitlines(), 1) if key.match(line)), 1)
