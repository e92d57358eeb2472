"""End to end: the real twistd, real sockets, real netcat and telnet."""
