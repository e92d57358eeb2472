"""An HTTP request: its headers, and an answer in one sentence."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Final

from twisted.web import http

from twisted_chat.frontends.web_refusal import NotAnswered

if TYPE_CHECKING:
    from twisted_chat.frontends.web import Channel

_POLICY = "Content-Security-Policy"

HEADERS: Final = {
    _POLICY: "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' data: blob:; connect-src 'self'; manifest-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; "
    "trusted-types 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",  # the browser asks each time whether it has changed
}
"""What every response has; what runs is the page's own files, and nothing else."""


def headers_for(pages: Iterable[str]) -> Mapping[str, str]:
    """`HEADERS` with which a page may also open WebSockets to the chat's other addresses.

    Args:
        pages: the origins of the chat's pages there, such as `https://chat.example`.
    """
    sockets = [f"ws{page.removeprefix('http')}" for page in pages]
    allowed = " ".join(("connect-src 'self'", *sockets))
    return HEADERS | {_POLICY: HEADERS[_POLICY].replace("connect-src 'self'", allowed)}


class BaseRequest(http.Request):
    """What all requests do."""

    channel: "Channel"

    def headers(self, name: str) -> list[str]:
        """The values of all headers with this name."""
        found = self.requestHeaders.getRawHeaders(name.encode(), [])
        return [value.decode("utf-8", "replace") for value in found]

    def _one(self, name: str) -> str:
        found = self.headers(name)
        return found[0].strip() if len(found) == 1 else ""

    def _set_headers(self, headers: Mapping[str, str]) -> None:
        for name, value in headers.items():
            self.setHeader(name, value)

    def _refuse(self, why: NotAnswered) -> None:
        self._set_headers(why.headers)
        self._say(why.code, why.text)
        self.finish()

    def _say(self, code: int, text: str) -> None:
        self.setResponseCode(code)
        body = f"{text}\n".encode()
        self.setHeader("Content-Type", "text/plain; charset=utf-8")
        self.setHeader("Content-Length", str(len(body)))
        self.write(body)
