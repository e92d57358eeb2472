"""What else may answer at a port where one looks for a chat server."""

import re

_KINDS = (
    (rb"HTTP/\d|\s*<(!doctype )?html", "a web server"),
    (rb"SSH-\d", "an SSH server"),
    (rb"220[ -].*(smtp|mail|postfix|exim)|\* OK|\+OK", "a mail server"),
    (rb"220[ -].*ftp", "an FTP server"),
    (rb":\S+ (NOTICE|\d{3}) |NOTICE \S+ :|ERROR :", "an IRC server"),
    (rb"-(ERR|NOAUTH|DENIED) ", "a Redis server"),
    (rb".\0\0\0\n.*(mysql|mariadb|caching_sha2)|E\0\0\0.S?(FATAL|ERROR)", "a database server"),
    (rb"RFB \d", "a VNC server"),
    (rb"\xff[\xfb-\xfe]", "a telnet server"),
)
_TLS = re.compile(rb"[\x15\x16]\x03[\x00-\x04]")
_PATTERNS = [(re.compile(pattern, re.IGNORECASE | re.DOTALL), kind) for pattern, kind in _KINDS]


CHECK = "check the host and the port"


def recognize(first: bytes) -> str:
    """What server speaks so at first, and what to do; empty for all that are not known here."""
    if _TLS.match(first):
        return "a TLS server: add --tls"
    kind = next((kind for pattern, kind in _PATTERNS if pattern.match(first)), "")
    return kind and f"{kind}, not a chat server: {CHECK}"
