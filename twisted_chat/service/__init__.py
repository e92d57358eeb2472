"""A running server: what the operator asks for, and everything put together."""
