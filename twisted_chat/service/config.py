"""A configuration file: the options of the command line, under the same names, as TOML."""

import difflib
import re
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

LISTS = ("endpoint",)
"""Options that may be given several times."""

TABLE = "limits"
"""A table in which limits may stand together."""


class Mistake(Exception):
    """Something in a file is wrong; the text says in which line, and what."""


def arguments(path: Path, options: Mapping[str, Callable[[str], Any] | None]) -> list[str]:
    """The command line that a file stands for.

    Args:
        path: the file.
        options: every option, and what reads its value; a flag has None.

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
        raise Mistake(f"{path}: {str(error)[0].lower()}{str(error)[1:]}") from error
    table = content.pop(TABLE, {})
    given = [*content.items(), *(table.items() if isinstance(table, dict) else ((TABLE, table),))]
    words = []
    for name, value in given:
        try:
            words += _words(name, value, options)
        except ValueError as error:
            raise Mistake(f"{path}, line {_line(text, name)}: {error}") from error
    return words


def _words(
    name: str, value: object, options: Mapping[str, Callable[[str], Any] | None]
) -> list[str]:
    if name not in options or name == "config":
        meant = difflib.get_close_matches(name, options, 1)
        raise ValueError(
            f"there is no option {name}" + (f": did you mean {meant[0]}?" if meant else "")
        )
    convert = options[name]
    if convert is None:
        if not isinstance(value, bool):
            raise ValueError(f"{name} is true or false")
        return [f"--{name}"] if value else []
    words = []
    for each in value if name in LISTS and isinstance(value, list) else [value]:
        if isinstance(each, bool) or not isinstance(each, str | int | float):
            raise ValueError(f"{name} is a text or a number")  # noqa: TRY004 - of the file
        try:
            convert(str(each))
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from error
        words.append(f"--{name}={each}")
    return words


def _line(text: str, name: str) -> int:
    key = re.compile(rf"""\s*["']?{re.escape(name)}["']?\s*[=.\]]|\s*\[{re.escape(name)}]""")
    return next((n for n, line in enumerate(text.splitlines(), 1) if key.match(line)), 1)
