"""Text from outside: what may be shown, what may be a name, and what looks the same."""
