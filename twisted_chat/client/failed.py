"""Why a client gives up."""


class Failed(Exception):
    """The client has given up, or was closed; what was not sent yet never will be."""


class Untrusted(Failed):
    """The server's certificate is not the one that it should be. Nothing was sent to it."""
