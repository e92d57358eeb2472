"""Who speaks another protocol to a chat port, and is turned away in a sentence.

A browser can be made to POST lines to any port: none of them may become a nickname and a message.
"""

import re

_STRANGERS = (
    (
        re.compile(rb"[A-Z]{3,10} \S+ HTTP/\d|PRI \* HTTP/2|HTTP/\d"),
        "This is a chat port, not a web server: use netcat, telnet or twisted-chat.",
    ),
    (
        re.compile(rb"\x16\x03[\x00-\x04]"),
        "This is a chat port without TLS: connect in plain text.",
    ),
    (
        re.compile(rb"SSH-\d"),
        "This is a chat port, not SSH: use netcat, telnet or twisted-chat.",
    ),
    (
        re.compile(rb"(CAP|NICK|USER|PASS) \S"),
        "This is a chat port, not an IRC server: use netcat, telnet or twisted-chat.",
    ),
    (
        re.compile(rb"PROXY (TCP|UNKNOWN)|\r?\n?\0?\r?\nQUIT\n|[\x04\x05][\x00-\x02]"),
        "This is a chat port, and knows nothing of your proxy: connect to it directly.",
    ),
)


def recognize(first_line: bytes) -> str | None:
    """What to tell somebody whose first line is not meant for a chat; None for everybody else."""
    for pattern, sentence in _STRANGERS:
        if pattern.match(first_line):
            return sentence
    return None
