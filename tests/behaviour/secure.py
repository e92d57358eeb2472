"""Somebody with plain lines over TLS, such as with `openssl s_client`."""

from tests.behaviour.plain import Netcat
from tests.secure import SecurePerson


class SecureNetcat(Netcat):
    """Somebody who connects with TLS."""

    kind = SecurePerson
