"""What every way into the chat has in common: each test runs over each frontend."""
