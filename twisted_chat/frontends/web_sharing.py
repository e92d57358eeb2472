"""Files that people send, over HTTP: to an address for one file, and back to whoever wants them."""

from typing import Final
from urllib.parse import unquote_to_bytes

from twisted.python.failure import Failure
from twisted.web import http

from twisted_chat.events.effects import file_key
from twisted_chat.frontends import download
from twisted_chat.frontends.download import Download
from twisted_chat.frontends.upload import Body
from twisted_chat.frontends.web_refusal import NotAnswered, refused
from twisted_chat.frontends.web_request import HEADERS, BaseRequest
from twisted_chat.refusal import Refused

UPLOAD: Final = b"/upload/"
"""The beginning of the addresses that files are sent to."""

SHARED: Final = b"/file/"
"""The beginning of the addresses that they are at then."""


class SharingRequest(BaseRequest):
    """A request that sends a file, or asks for one; what else there is, is in the subclass."""

    _body: Body | None = None  # on its way to the disk
    _is_refused = False  # before all of it has come

    def gotLength(self, length: int | None) -> None:
        """Its headers are here: a file that nobody wants is refused before it comes."""
        channel = self.channel
        if not channel.is_upload:
            super().gotLength(length)
            return
        self.method, self.clientproto = channel._command, channel._version
        self.path = channel._path.partition(b"?")[0]
        channel.persistent = False
        try:
            self._body = self._take_body(length)
        except NotAnswered as why:
            self._refuse_early(why)

    def handleContentChunk(self, data: bytes) -> None:
        """Some of its body has come."""
        if self._body is not None:
            self.channel.time.wait_for_more()
            self._body.write(data)
        elif not self._is_refused:
            super().handleContentChunk(data)

    def requestReceived(self, command: bytes, path: bytes, version: bytes) -> None:
        """All of it has come."""
        if self._body is not None:
            self.channel.time.wait()
            self._body.end().addCallbacks(self._sent, self._not_sent)
        elif not self._is_refused:
            super().requestReceived(command, path, version)

    def connectionLost(self, reason: Failure) -> None:
        """The other end is gone: a file that was not all here leaves nothing."""
        if self._body is not None:
            self._body.drop()
        super().connectionLost(reason)

    def _take_body(self, length: int | None) -> Body:
        chat = self.channel.web.server.chat
        if not self._one("host"):
            raise NotAnswered(400, "A request must have exactly one Host header.")
        if self.method not in (b"PUT", b"POST"):
            raise NotAnswered(405, "Send a file here: curl -T FILE URL", {"Allow": "PUT, POST"})
        if self.channel.is_chunked or length is None or not self._one("content-length"):
            raise NotAnswered(411, "The length of a file must be known: save it first.")
        if self._one("content-type").lower().startswith("multipart/"):
            raise NotAnswered(415, "Send the file itself, and no form: curl -T FILE URL")
        _, _, token, *name = self.path.split(b"/")
        try:
            upload = chat.begin_upload(
                token.decode("ascii", "replace"),
                unquote_to_bytes(b"/".join(name)).decode("utf-8", "replace"),
                length,
            )
        except Refused as why:
            raise refused(why) from why
        channel = self.channel
        channel.take_upload(length)
        return Body(chat, upload, channel.pause_upload, channel.resume_upload, self._cannot_store)

    def _cannot_store(self, why: Refused) -> None:
        self._refuse_early(refused(why))

    def _refuse_early(self, why: NotAnswered) -> None:
        """Answer before all has come; the rest is thrown away, so that the answer is read."""
        self._body, self._is_refused = None, True
        self.requestHeaders.removeHeader("expect")  # or it would be asked to go on
        self._set_headers(HEADERS | dict(why.headers) | {"Connection": "close"})
        self._say(why.code, why.text)
        self.channel.ignore_the_rest()

    def _sent(self, address: str) -> None:
        if not self._is_refused and not self._disconnected:
            self._set_headers(HEADERS | {"Connection": "close"})
            self._say(201, address)
            self.finish()

    def _not_sent(self, failure: Failure) -> None:
        why = failure.value
        if isinstance(why, Refused) and not self._disconnected:
            self._set_headers(HEADERS | {"Connection": "close"})
            self._refuse(refused(why))

    def _send_shared(self) -> None:
        files = self.channel.web.server.chat.files
        shared = files and files.find(file_key(self.path.decode("ascii", "replace")))
        if not files or not shared:
            raise NotAnswered(404, "There is no such file: it was deleted, or its time is over.")
        tag = f'"{shared.digest[:32]}"'
        if self.setETag(tag.encode()) is http.CACHED:
            self.finish()
            return
        is_range_of_this = self._one("if-range") in ("", tag)
        wanted = download.part(self._one("range") if is_range_of_this else "", shared.size)
        if wanted is None:
            there = {"Content-Range": f"bytes */{shared.size}"}
            raise NotAnswered(416, f"That file has only {shared.size} bytes.", there)
        self._set_headers(download.headers(shared))
        begin, end = wanted
        if (begin, end) != (0, shared.size):
            self.setResponseCode(206)
            self.setHeader("Content-Range", f"bytes {begin}-{end - 1}/{shared.size}")
        self.setHeader("Content-Length", str(end - begin))
        if self.method == b"HEAD" or begin == end:
            self.finish()
            return
        self.channel.time.begin(end - begin)
        Download(self, files.contents, shared.digest, begin, end)
