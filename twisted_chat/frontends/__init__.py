"""The ways in: from bytes to a conversation, and back."""
