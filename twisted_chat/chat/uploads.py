"""Files on their way to a room: addresses for one file each, and whether there is place for it."""

import secrets
from collections import Counter
from dataclasses import dataclass
from typing import Final, Protocol

from twisted.internet.interfaces import IReactorTime

from twisted_chat.limits import Limits
from twisted_chat.refusal import Refused
from twisted_chat.stores.contents import Contents, Incoming
from twisted_chat.text.counted import in_bytes

OFFER_SECONDS: Final = 600.0
"""Seconds in which a file can be sent to the address that was asked for."""

OFFERS: Final = 8
"""Addresses that one person may have asked for, and not used."""

AT_ONCE: Final = 4
"""Files that one account or address may be sending."""

UPLOADS: Final = 100
"""Files that everybody together may be sending."""

LEAST: Final = 16_000
"""Bytes that a small file counts as: it takes place in memory, too."""


@dataclass(slots=True)
class Offer:
    """What somebody may send, once.

    Args:
        token: the part of its address that nobody can guess.
        person: their id.
        room: the key of the room that it is for.
        client: the id of the connection that asked for it.
        until: when it is over, in the clock's seconds.
        is_taken: whether a file is being sent there.
    """

    token: str
    person: str
    room: str
    client: str
    until: float
    is_taken: bool = False


@dataclass(slots=True, eq=False)
class Upload:
    """A file that is being sent.

    Args:
        offer: what allows it.
        name: what it is called.
        size: the bytes that it will have.
        owner: in whose quota it is.
        incoming: what has come of it.
    """

    offer: Offer
    name: str
    size: int
    owner: str
    incoming: Incoming


class Kept(Protocol):
    """The files that are there already."""

    contents: Contents
    """What is in them."""

    taken: int
    """Bytes of all of them."""

    def where(self) -> str:
        """The address of the server's page, without a slash at the end; empty if it has none."""

    def owned_by(self, owner: str, person: str) -> int:
        """The bytes of the files in somebody's quota, and of those that they sent outside of it.

        Args:
            owner: whose quota it is.
            person: their id, which a guest keeps who registers.
        """


class Uploads:
    """Files on their way.

    Args:
        files: those that are there already.
        limits: how large they may be, and how many.
        clock: timers.
    """

    def __init__(self, files: Kept, limits: Limits, clock: IReactorTime) -> None:
        self._files = files
        self._limits = limits
        self._clock = clock
        self._offers: dict[str, Offer] = {}  # in the order in which they end
        self._offered: Counter[str] = Counter()  # by person
        self._uploads: set[Upload] = set()

    def offer(self, person: str, room: str, client: str) -> Offer:
        """Let somebody send a file, once, to the `address_of` this.

        Args:
            person: the id of who asks for it.
            room: the key of the room that it is for.
            client: the id of the connection that asks.

        Raises:
            Refused: why there is none.
        """
        if not self._files.where():
            raise Refused(
                "no-files",
                "Files need a web address, which this server does not have: ask whoever runs it "
                "to start it with --web-port.",
            )
        self._end_offers()
        if self._offered[person] >= OFFERS:
            raise Refused(
                "too-fast",
                f"You have asked for {OFFERS} addresses and sent nothing there: use one of them, "
                f"or wait {OFFER_SECONDS / 60:.0f} minutes.",
            )
        return self.know(secrets.token_urlsafe(16), person, room, client)

    def know(self, token: str, person: str, room: str, client: str) -> Offer:
        """Somebody may send a file, as another server may have told them; see `Offer`."""
        until = self._clock.seconds() + OFFER_SECONDS
        offer = self._offers[token] = Offer(token, person, room, client, until)
        self._offered[person] += 1
        return offer

    def address_of(self, offer: Offer) -> str:
        """Where a file can be sent to, once."""
        return f"{self._files.where()}/upload/{offer.token}/"

    def forget(self, token: str) -> None:
        """A file has come to another server."""
        offer = self._offers.get(token)
        if offer is not None and not offer.is_taken:
            self._withdraw(offer)

    def _end_offers(self) -> None:
        now = self._clock.seconds()
        while self._offers:
            first = next(iter(self._offers.values()))
            if first.until > now:
                break
            self._withdraw(first)

    def _withdraw(self, offer: Offer) -> None:
        if self._offers.pop(offer.token, None) is not None:
            self._offered[offer.person] -= 1
            if not self._offered[offer.person]:
                del self._offered[offer.person]

    def offered(self, token: str) -> Offer:
        """What was offered at an address.

        Raises:
            Refused: nothing, or it was used already.
        """
        self._end_offers()
        offer = self._offers.get(token)
        if offer is None or offer.is_taken:
            raise Refused(
                "no-upload",
                "This address was used already, or its time is over: /upload gives another one.",
            )
        return offer

    def begin(self, offer: Offer, name: str, size: int, owner: str) -> Upload:
        """Somebody begins to send a file, which `end` ends in any case.

        Args:
            offer: what allows it.
            name: what it is called.
            size: the bytes that it will have.
            owner: in whose quota it is.

        Raises:
            Refused: there is no place for it.
            OSError: nothing can be stored.
        """
        limits = self._limits
        if size > limits.file_size:
            raise Refused(
                "too-large",
                f"That file has {in_bytes(size)}, and the limit is {in_bytes(limits.file_size)}: "
                "send a smaller one.",
            )
        theirs = [
            each
            for each in self._uploads
            if each.owner == owner or each.offer.person == offer.person
        ]
        if len(theirs) >= AT_ONCE or len(self._uploads) >= UPLOADS:
            raise Refused("too-fast", "Too many files are being sent: try again in a moment.", 5)
        size = max(size, LEAST)
        taken = self._files.owned_by(owner, offer.person) + sum(map(_room_of, theirs))
        if taken + size > limits.file_quota:
            raise Refused(
                "no-space",
                f"Your files would take more than {in_bytes(limits.file_quota)}: /delete some "
                "first.",
            )
        if self._files.taken + sum(map(_room_of, self._uploads)) + size > limits.file_total:
            raise Refused(
                "no-space",
                f"All files here would take more than {in_bytes(limits.file_total)}: delete some, "
                "or ask whoever runs this server.",
            )
        upload = Upload(offer, name, size, owner, self._files.contents.begin())
        offer.is_taken = True
        self._uploads.add(upload)
        return upload

    def use_up(self, upload: Upload) -> None:
        """The file is here: nothing more can be sent to its address."""
        self._withdraw(upload.offer)

    def end(self, upload: Upload) -> None:
        """The file is sent, or will never be; then its address can be used again."""
        if upload in self._uploads:
            self._uploads.discard(upload)
            upload.offer.is_taken = False
            upload.incoming.drop()

    def close(self) -> None:
        """The server stops: what is not all here is not taken any more."""
        for upload in list(self._uploads):
            self.end(upload)


def _room_of(upload: Upload) -> int:
    return max(upload.size, LEAST)
