"""Sending files to rooms, and deleting them."""

from twisted.internet.defer import Deferred

from twisted_chat.addresses import neighbourhood
from twisted_chat.chat.files import Files
from twisted_chat.chat.person import Person
from twisted_chat.chat.request import Request
from twisted_chat.chat.rights import Right
from twisted_chat.chat.room import Room
from twisted_chat.chat.talk import Talk
from twisted_chat.chat.uploads import Offer, Upload
from twisted_chat.events import Delete, Entry, File
from twisted_chat.refusal import Refused
from twisted_chat.stores.nodes import Value
from twisted_chat.text.filenames import filename, quoted
from twisted_chat.text.media import media_type


class _Asker:
    """Is told why a file is not sent."""

    why: Refused | None = None

    def refuse(self, why: Refused, ref: str | None = None) -> None:
        """See `request.Asker`."""
        self.why = why


class Sharing(Talk):
    """Sending files to rooms, and deleting them; the arguments are those of `Chat`."""

    def offer_upload(self, person: Person, room: Room, client: str) -> str:
        """An address to send one file to.

        Args:
            person: who may do so.
            room: where the file will be shown.
            client: the id of the connection that asks.

        Raises:
            Refused: why there is none.
        """
        uploads = self._need_files().uploads
        offer = uploads.offer(person.id, room.key, client)
        self.tell_others("offered", [offer.token, offer.person, offer.room, offer.client])
        return uploads.address_of(offer)

    def _need_files(self) -> Files:
        if self.files is None:
            raise Refused("no-files", "This server takes no files: put it somewhere else.")
        return self.files

    def begin_upload(self, token: str, name: str, size: int) -> Upload:
        """Somebody begins to send a file; `Uploads.end` ends that, unless `share` does.

        Args:
            token: the part of the address that nobody can guess.
            name: what the file is called, as a program says.
            size: the bytes that it will have.

        Raises:
            Refused: why they cannot.
        """
        uploads = self._need_files().uploads
        offer = uploads.offered(token)
        person, room = self._check(offer)
        try:
            upload = uploads.begin(offer, filename(name), size, _owner(person, offer))
        except OSError as error:
            raise cannot_store(error) from error
        try:
            self._slow_down(person, room)
        except Refused:
            uploads.end(upload)
            raise
        return upload

    def _check(self, offer: Offer) -> tuple[Person, Room]:
        """Who sends a file, and where to, if they still may."""
        person, room = self.people.with_id(offer.person), self.rooms.get(offer.room)
        if person is None or room is None or self.is_stopping:
            raise Refused(
                "no-nick", "Whoever asked for this address has left the chat: join again."
            )
        self.room_of(person, room.name)
        self.rights.check(person, Right.SPEAK, room)
        return person, room

    def share(self, upload: Upload) -> Deferred[str]:
        """A file has come: show it in its room; gives its address.

        Fails with `Refused`.
        """
        return Deferred.fromCoroutine(self._share(self._need_files(), upload))

    async def _share(self, files: Files, upload: Upload) -> str:
        incoming = upload.incoming
        try:
            digest = await incoming.end()
            files.hold(digest, incoming.size)  # somebody may be deleting the same content
            try:
                await incoming.keep(digest)
                event = await self._send(files, upload, digest)
            finally:
                files.uploads.end(upload)
                files.release(digest)
        except OSError as error:
            raise cannot_store(error) from error
        finally:
            files.uploads.end(upload)
        return files.address_of(event.url)

    async def _send(self, files: Files, upload: Upload, digest: str) -> File:
        person, room = self._check(upload.offer)
        now = person.spoke = self.now()
        event = File(
            now,
            room.name,
            person.nickname,
            upload.name,
            media_type(upload.name, upload.incoming.head),
            files.path(quoted(upload.name)),
            upload.incoming.size,
            files.until(),
            digest,
            person.id,
            upload.owner,
            tuple(self.moderation.over(room)),
        )
        asker, settled, request = _Asker(), Deferred[None](), Request(upload.offer.client)
        self._observers.check(event)
        files.uploads.use_up(upload)
        self.tell_others("used", upload.offer.token)
        room.announce(person)
        request.begin(asker)
        request.when_settled(lambda: settled.callback(None))
        room.log.append(Entry(event, person.id, client=request.client, waiter=request))
        await settled
        if asker.why is not None:
            raise asker.why
        return event

    def is_told(self, name: str, value: Value) -> None:
        """See `Membership.is_told`: a file may be sent to whatever server."""
        match name, value:
            case "offered", [token, person_id, room, client] if self.files is not None:
                self.files.uploads.know(token, person_id, room, client)
            case "used", str(token) if self.files is not None:
                self.files.uploads.forget(token)
            case _:
                super().is_told(name, value)

    def delete_file(self, person: Person, room: Room, name: str, request: Request) -> None:
        """Take a file away, for good.

        Args:
            person: who wants that: whoever sent it, or an operator.
            room: where it was sent to.
            name: what it is called; of several, the last one of theirs goes.
            request: with what it was asked for.

        Raises:
            Refused: there is none, or it is somebody else's.
        """
        found = self._need_files().in_room(room.key, name, person.id)
        if found is None:
            raise Refused(
                "no-such-file", f"There is no file {name} in {room.name}: give its whole name."
            )
        key, shared = found
        is_theirs = shared.person == person.id
        if not is_theirs:
            self.rights.check(person, Right.KEEP_ORDER, room, "Deleting the files of others")
        event = Delete(self.now(), room.name, person.nickname, shared.name, shared.id, (key,))
        if is_theirs:
            self._observers.check(event)
            room.announce(person)
            request.begin(person.connection_of(request.client))
            room.log.append(
                Entry(event, person.id, request.ref, client=request.client, waiter=request)
            )
        else:
            self.decide(person, room, event, request)


def cannot_store(error: OSError) -> Refused:
    """What somebody is told whose file cannot be written to the disk."""
    return Refused(
        "not-stored",
        f"That file could not be stored ({error.strerror}), so nobody saw it: try again later.",
    )


def _owner(person: Person, offer: Offer) -> str:
    """In whose quota somebody's files are: that of their account, or of where they are."""
    if person.account:
        return person.account
    device = person.devices.get(offer.client) or next(iter(person.devices.values()))
    return neighbourhood(device.address)
