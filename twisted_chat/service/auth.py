"""`--auth`: a site's own way to check passwords, named as `twisted.cred` names it."""

from importlib.util import find_spec
from pathlib import Path

from twisted.cred import strcred
from twisted.cred.credentials import IUsernamePassword
from twisted.cred.portal import Portal

from twisted_chat.chat.portal import portal_for


def make_portal(description: str) -> Portal:
    """The portal that a description of a checker stands for.

    Args:
        description: a kind of checker, and what it is told: `file:/etc/chat/passwords`, `unix`.

    Raises:
        ValueError: why there is none. The text tells nothing of the description but its kind,
            since passwords may follow that.
    """
    kind, _, told = description.partition(":")
    if kind == "file" and not Path(told).is_file():
        raise ValueError(f"file: there is no file {told!r}")
    if kind == "unix" and find_spec("crypt") is None:
        raise ValueError("unix: Python can check no Unix passwords since version 3.13")
    try:
        checker = strcred.makeChecker(description)
    except strcred.InvalidAuthType:
        raise ValueError(f"{kind}: there are only {', '.join(_kinds())}") from None
    except strcred.InvalidAuthArgumentString:
        form = strcred.findCheckerFactory(kind).argStringFormat
        raise ValueError(f"{kind}: what follows must be: {form}") from None
    except Exception as error:
        raise ValueError(f"{kind}: {type(error).__name__}") from None
    if IUsernamePassword not in checker.credentialInterfaces:
        raise ValueError(f"{kind}: it checks no passwords, as {', '.join(_kinds())} do")
    return portal_for(checker)


def _kinds() -> list[str]:
    """The kinds of checkers that check passwords."""
    factories = strcred.findCheckerFactories()
    return sorted({f.authType for f in factories if IUsernamePassword in f.credentialInterfaces})
