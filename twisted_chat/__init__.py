"""A chat room that anyone can join with netcat, telnet or its own client."""
