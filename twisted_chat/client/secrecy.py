"""Lines with a password in them: no screen shows it, and nothing keeps it."""

import re

_SECRET = re.compile(
    r"(?:[/@]\S+\s+(?:\S+\s+)?(?=[^\w\s]))?"
    r"[\W_]*(?:(?:login|register|password|identify)|(?<=/)\s*forget)[\s:=,;]+(?=\S)",
    re.IGNORECASE,
)
"""What comes before a password, also where the command is mistyped, or behind another one."""


def secret_at(line: str) -> int:
    """Where in a line a password may begin; its length if there is none."""
    found = _SECRET.match(line)
    return found.end() if found else len(line)


def is_secret(text: str) -> bool:
    """Whether there may be a password in any of these lines."""
    return any(secret_at(line) < len(line) for line in text.splitlines())


def without_secret(line: str) -> str:
    """A line as it may be shown."""
    at = secret_at(line)
    return line if at == len(line) else line[:at] + "..."
