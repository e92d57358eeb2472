"""Wires: how events become bytes for a kind of reader."""
