"""What goes over a connection: bytes into lines and events, and back."""
