"""Logs kept in SQLite."""
