"""The command `twisted-chat-server`: `twistd -n chat` without needing `twistd`."""

import sys

from twisted.scripts import twistd


def main() -> None:
    """Run a server in the foreground, with the options of `twistd chat`."""
    sys.argv[1:] = ["--nodaemon", "--pidfile=", "chat", *sys.argv[1:]]
    twistd.run()


if __name__ == "__main__":
    main()
