"""What people read whose request could not be stored; each is told why."""


def unseen(why: str) -> str:
    """Of something that nobody has seen."""
    return f"That could not be stored ({why}), so nobody saw it: try again later."


def unknown() -> str:
    """Of something that was being stored when the database went away, and so did the server."""
    return "It is not known whether that was stored: look when the server is back."


def unsaved(why: str) -> str:
    """Of a change that took effect although it could not be stored."""
    return f"That could not be stored ({why}): it lasts only until the server restarts."


def unchanged(why: str) -> str:
    """Of what is not changed because it could not be stored."""
    return f"That could not be stored ({why}), so nothing has changed: try again in a while."
