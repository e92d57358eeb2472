"""The certificate that a server begins with: the one that it was told, or one of its own."""

import socket
from typing import TYPE_CHECKING

from twisted_chat.service.options import Options
from twisted_chat.stores.unusable import Unusable

if TYPE_CHECKING:
    from twisted_chat.service.tls import Certificate  # an extra


def open_certificate(options: Options) -> "Certificate":
    """The server's certificate, which is made if there is none yet.

    Args:
        options: those of the server.

    Raises:
        Unusable: it cannot be kept.
    """
    from twisted_chat.service import tls  # an extra

    pair = options.pair
    if pair is None:  # the first start, or there is no database
        pem = tls.make(socket.gethostname())
        path = options.made_certificate
        try:
            if path is not None:
                tls.keep(pem, path)
            pair = tls.Pair(pem, pem)
        except tls.BadCertificate as why:
            raise Unusable(str(why)) from why
    return tls.Certificate(pair)
