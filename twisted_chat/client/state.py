"""Where the client keeps what it needs in later runs."""

import os
from pathlib import Path


def state_file(name: str) -> Path | None:
    """One of the client's files, as the XDG base directories have it; None for who has no home."""
    state = Path(os.environ.get("XDG_STATE_HOME", ""))
    try:
        base = state if state.is_absolute() else Path.home() / ".local" / "state"
    except RuntimeError:
        return None
    return base / "twisted-chat" / name
