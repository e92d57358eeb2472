"""Recognises clients of other protocols, which are refused with an explanation.

A browser can be made to POST lines to any port: none of them may become a nickname and a message.
"""

import re

_USE = "use netcat, telnet or twisted-chat."
_WEB = f"This is a chat port, not a web server: {_USE}"
_TLS = "This is a chat port without TLS: connect in plain text."
_SSH = f"This is a chat port, not SSH: {_USE}"
_IRC = f"This is a chat port, not an IRC server: {_USE}"
_MAIL = f"This is a chat port, not a mail server: {_USE}"
_PROXY = "This is a chat port, and it does not accept a proxy: connect directly."
_OTHER = f"This is a chat port, and it does not speak your protocol: {_USE}"

_LINES = (
    (re.compile(rb"[A-Z]{3,10} \S+ (HTTP|RTSP|SIP|ICAP)/\d|PRI \* HTTP/2|HTTP/\d"), _WEB),
    (re.compile(rb"(CAP|NICK|USER|PASS) \S"), _IRC),
    (re.compile(rb"(EHLO|HELO|LHLO) \S"), _MAIL),
    (re.compile(rb"PROXY (TCP|UNKNOWN)|\0$"), _PROXY),  # NUL: what the binary header begins with
    (re.compile(rb"<\?xml|<stream|\*\d+$"), _OTHER),  # XMPP, Redis
)
_BEGINNINGS = (
    (re.compile(rb"\x16\x03[\x00-\x04]"), _TLS),
    (re.compile(rb"SSH-\d"), _SSH),
    (re.compile(rb"\x05[\x01-\x09][\x00-\x09\x80]|\x04[\x01\x02]..[^\n]{4}", re.DOTALL), _PROXY),
    (re.compile(rb"\x03\x00..[^\n]\xe0|\0\0\0\x08\x04\xd2\x16[/0]", re.DOTALL), _OTHER),  # RDP, SQL
    (re.compile(rb"\x10.{1,4}\x00[\x04\x06]MQ|\x00...[\xfe\xff]SMB", re.DOTALL), _OTHER),
)
"""Binary protocols, which may never send a line end."""


def recognize(first_line: bytes) -> str | None:
    """What to tell somebody whose first line is not meant for a chat; None for everybody else."""
    for pattern, sentence in _LINES:
        if pattern.match(first_line):
            return sentence
    return recognize_beginning(first_line)


def recognize_beginning(data: bytes) -> str | None:
    """The same for the beginning of a line that may never end."""
    for pattern, sentence in _BEGINNINGS:
        if pattern.match(data):
            return sentence
    return None
