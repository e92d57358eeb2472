"""Logs kept in PostgreSQL, on this machine or another."""
