"""A database that cannot be used, of whatever kind."""


class Unusable(Exception):
    """A database that cannot be used; the text says why, and what to do."""
