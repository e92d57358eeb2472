"""Rooms as logs: their entries, those who read them, and how all readers get everything at once."""
