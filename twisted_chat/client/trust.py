"""Which certificate is a server's: the one that was pinned, vouched for, or seen at first."""

import os
import re
from collections.abc import Callable
from pathlib import Path

from twisted_chat.client.failed import Failed, Untrusted

_AUTHORITY = "authority"  # in the file, in the place of a fingerprint
_FINGERPRINT = re.compile(r"SHA256:((?:[0-9A-F]{2}:?){31}[0-9A-F]{2})", re.IGNORECASE)
_DANGER = "Somebody may be pretending to be that server. Nothing was sent to it."


def fingerprint(text: str) -> str:
    """A fingerprint as servers and openssl write it: `SHA256:` and 32 bytes, in hexadecimal.

    Raises:
        ValueError: it is none.
    """
    found = _FINGERPRINT.fullmatch(text.strip())
    if not found:
        raise ValueError(f"a fingerprint is SHA256: and 64 hexadecimal digits, not {text!r}")
    return "SHA256:" + bytes.fromhex(found[1].replace(":", "")).hex(":").upper()


class KnownServers:
    """A file that says how each server proved who it is when it was last met.

    Each line has a server and its certificate's fingerprint, or `authority` if an authority
    vouched for it. The last line of a server counts, so two clients may write at once.

    Args:
        path: the file, which nobody else may read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def find(self, server: str) -> str | None:
        """What is known of a server; None if nothing is.

        Raises:
            OSError: the file is there and cannot be read.
        """
        try:
            lines = self.path.read_text(errors="replace").splitlines()
        except (FileNotFoundError, NotADirectoryError):
            return None
        known = (line.split() for line in lines)
        return dict(words for words in known if len(words) == 2).get(server)

    def keep(self, server: str, proof: str) -> None:
        """Remember a server.

        Raises:
            OSError: it cannot be written.
        """
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        how = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        with os.fdopen(os.open(self.path, how, 0o600), "w") as file:
            file.write(f"{server} {proof}\n")


class Trust:
    """Whether a certificate is the server's.

    Args:
        server: its host and port.
        known: the servers that were met before; None if nothing can be kept.
        tell: called with a sentence when a server is met for the first time.
        pinned: the fingerprint that the certificate has to have; None if any will do at first.
        accepted: the certificates of this chat's other addresses, to which this one is added.
        is_named: whether a person has named this address, and not the server alone: an unknown
            certificate is trusted at first only if it is.
    """

    def __init__(
        self,
        server: str,
        known: KnownServers | None,
        tell: Callable[[str], None],
        pinned: str | None = None,
        accepted: set[str] | None = None,
        *,
        is_named: bool = True,
    ) -> None:
        self._server = server
        self._known = known
        self._tell = tell
        self._pinned = pinned
        self._accepted = set[str]() if accepted is None else accepted
        self._is_named = is_named
        self._seen: str | None = None  # since the start, whether or not it could be kept

    def check(self, shown: str, *, is_vouched_for: bool) -> None:
        """Accept a certificate, or do not.

        Args:
            shown: the fingerprint of the certificate.
            is_vouched_for: whether an authority of this system vouches for it and this host.

        Raises:
            Untrusted: why not, and what to do.
        """
        if self._pinned is not None:
            if shown != self._pinned:
                raise Untrusted(
                    f"{self._server} does not have the certificate that --fingerprint asks for. "
                    f"{_DANGER} Its certificate: {shown}"
                )
            return
        self._check(shown, is_vouched_for=is_vouched_for)
        self._accepted.add(shown)

    def _check(self, shown: str, *, is_vouched_for: bool) -> None:
        known = self._proof()
        if is_vouched_for:
            if known != _AUTHORITY:
                self._keep(_AUTHORITY)
        elif known is None and shown in self._accepted:
            if self._is_named:
                self._keep(shown)
        elif known is None and not self._is_named:
            raise Untrusted(
                f"The server says that the chat is at {self._server} too, but no authority "
                "vouches for that, so nothing was sent there. To trust its certificate, name "
                f"it when you start: {shown}"
            )
        elif known is None:
            until = self._keep(shown)
            self._tell(
                f"No authority vouches for {self._server}, so its certificate is trusted "
                f"{until}. The server's log should show the same fingerprint: {shown}"
            )
        elif known != shown:
            raise Untrusted(self._changed(known, shown))

    def without_tls(self) -> Failed:
        """Why we give up on a server that does not speak TLS, and what to do."""
        try:
            known = self._pinned or self._proof()
        except Untrusted as why:
            return why
        if known:
            return Untrusted(f"{self._server} DOES NOT SPEAK TLS ANY MORE. {_DANGER}")
        return Failed(f"{self._server} is not a TLS server: leave out --tls")

    def _proof(self) -> str | None:
        if self._seen or self._known is None:
            return self._seen
        try:
            return self._known.find(self._server)
        except OSError as error:
            raise Untrusted(
                f"Cannot read {self._known.path}, which has the certificates of servers: "
                f"{error.strerror}. Make it readable, or use --fingerprint"
            ) from error

    def _keep(self, proof: str) -> str:
        """Remember the server; returns for how long."""
        self._seen = proof
        if self._known is None:
            return "this time (there is no home directory to keep it in)"
        try:
            self._known.keep(self._server, proof)
        except OSError as error:
            return f"this time (it cannot be kept in {self._known.path}: {error.strerror})"
        return "from now on"

    def _changed(self, known: str, shown: str) -> str:
        what = (
            f"NO AUTHORITY VOUCHES FOR {self._server} ANY MORE."
            if known == _AUTHORITY
            else f"THE CERTIFICATE OF {self._server} HAS CHANGED."
        )
        path = self._known.path if self._known is not None else ""
        return (
            f"{what} {_DANGER}\n"
            f"  known until now: {known}\n"
            f"  shown now:       {shown}\n"
            "If whoever runs the server says that the new one is right, delete the lines of "
            f"{self._server} in {path}"
        )
