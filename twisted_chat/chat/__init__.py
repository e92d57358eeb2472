"""Every person and every room, and everything that one can do."""
