"""One connection's conversation, in each of the ways that one can have it."""
