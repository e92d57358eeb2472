"""Media types of files: pictures by what is in them, all others by their names."""

from mimetypes import MimeTypes

UNKNOWN = "application/octet-stream"

PICTURES = ("image/png", "image/jpeg", "image/gif", "image/webp")
"""What a browser may show by itself: nothing in these can run."""

_BY_NAME = MimeTypes()  # the same on every machine: no file of the system is read


def media_type(name: str, head: bytes) -> str:
    """The media type of a file.

    Args:
        name: what it is called.
        head: its first bytes.
    """
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if head.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if head.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return "image/webp"
    guessed, compression = _BY_NAME.guess_type("/" + name)
    return UNKNOWN if guessed is None or guessed in PICTURES or compression else guessed
