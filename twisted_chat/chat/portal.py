"""Accounts of a site: whether a password is right is for `twisted.cred` to say."""

from collections.abc import Callable
from typing import Any

from twisted.cred.checkers import ICredentialsChecker
from twisted.cred.credentials import UsernamePassword
from twisted.cred.error import LoginFailed, UnauthorizedLogin, UnhandledCredentials
from twisted.cred.portal import IRealm, Portal
from twisted.internet.defer import Deferred, fail, maybeDeferred, succeed
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import Attribute, Interface, implementer

from twisted_chat.refusal import Refused
from twisted_chat.stores.account import Account
from twisted_chat.text.passwords import Password

_log = Logger(namespace="chat")


class IChatUser(Interface):
    """Somebody who may log in, as a site's realm knows them: the avatar that the chat asks for."""

    name = Attribute("What they are called, as a text: their nickname in the chat.")


@implementer(IChatUser)
class ChatUser:
    """Somebody with a name and nothing else.

    Args:
        name: what they are called.
    """

    def __init__(self, name: str) -> None:
        self.name = name


@implementer(IRealm)
class _Names:
    """A realm for sites that have only a checker: everybody is who the checker says."""

    def requestAvatar(  # noqa: N802 - of Twisted
        self, avatar_id: Any, mind: object, *interfaces: Any
    ) -> tuple[Any, ChatUser, Callable[[], None]]:
        if not avatar_id:
            raise UnauthorizedLogin("nobody in particular")
        name = avatar_id.decode() if isinstance(avatar_id, bytes) else avatar_id
        return IChatUser, ChatUser(name), lambda: None


def portal_for(checker: ICredentialsChecker) -> Portal:
    """A portal through which everybody gets whom a checker of names and passwords knows."""
    return Portal(_Names(), [checker])


class PortalPasswords:
    """An `Authenticator` that asks a site's portal.

    Args:
        portal: has a checker of `IUsernamePassword`, and a realm that gives an `IChatUser`.
    """

    def __init__(self, portal: Portal) -> None:
        self._portal = portal

    def check(self, name: str, account: Account | None, password: Password) -> Deferred[str | None]:
        """See `Authenticator.check`: an account's name is asked for as the site spells it."""
        if not password.secret:  # which some directories take for a guest
            return succeed(None)
        asked = account.name if account else name
        credentials = UsernamePassword(asked.encode(errors="replace"), password.secret)
        user = maybeDeferred(self._portal.login, credentials, None, IChatUser)
        return user.addCallbacks(self._name, self._not_logged_in)

    def _name(self, found: tuple[object, Any, Callable[[], object]]) -> str | None:
        _, user, log_out = found
        name: str = user.name
        log_out()  # we have what we wanted to know
        return name

    def _not_logged_in(self, failure: Failure) -> None:
        if failure.check(UnhandledCredentials) or not failure.check(LoginFailed):
            error = failure.type.__name__ if failure.type else "Exception"
            _log.error("A password cannot be checked: {error}", error=error)
            raise Refused(
                "not-available", "Passwords cannot be checked now: try again in a while."
            ) from None

    def hash(self, password: Password) -> Deferred[str]:
        """See `Authenticator.hash`: nobody chooses a password here."""
        return fail(
            Refused(
                "not-allowed",
                "Names and passwords of this server are given by its operator: ask there.",
            )
        )

    def is_outdated(self, account: Account) -> bool:
        """See `Authenticator.is_outdated`: nothing is kept."""
        return False
