"""A room is a log, and everyone in it is a reader of that log."""
