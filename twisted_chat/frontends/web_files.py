"""The page's files, read once at the start: the server serves no other files."""

import gzip
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

_KINDS = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".webmanifest": "application/manifest+json",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".ico": "image/x-icon",
    ".woff2": "font/woff2",
}
"""Media types by the end of a file's name; other files are not served."""


class File(NamedTuple):
    """A file as it is served.

    Args:
        kind: its media type.
        tag: its `ETag`, which changes with the content.
        content: its bytes.
        zipped: its bytes compressed, or nothing if that is not smaller.
    """

    kind: str
    tag: bytes
    content: bytes
    zipped: bytes


def read_page(folder: Path) -> dict[bytes, File]:
    """The page's files, by the paths of their URLs."""
    files = {
        f"/page/{path.relative_to(folder).as_posix()}".encode(): _read(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.suffix in _KINDS
    }
    for path, name in ((b"/", b"index.html"), (b"/manifest.webmanifest",) * 2):
        if (file := files.get(b"/page/" + name.removeprefix(b"/"))) is not None:
            files[path] = file
    return files


def _read(path: Path) -> File:
    content = path.read_bytes()
    zipped = gzip.compress(content, mtime=0)
    tag = f'W/"{sha256(content).hexdigest()[:20]}"'.encode()
    smaller = zipped if len(zipped) < len(content) else b""
    return File(_KINDS[path.suffix], tag, content, smaller)
