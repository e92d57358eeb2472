"""The server's certificate: read from files or created at the first start, and reloadable.

Twisted's own options for TLS cannot take a renewed certificate, so the context is made here.
"""

import os
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from OpenSSL import SSL
from twisted.internet.interfaces import IOpenSSLServerConnectionCreator
from zope.interface import implementer

_YEARS = timedelta(days=3650)
_CIPHERS = b"ECDHE+AESGCM:ECDHE+CHACHA20"
"""For TLS 1.2; the defaults for TLS 1.3 are good."""


class BadCertificate(Exception):
    """A certificate cannot be used; the text says why."""


class Pair:
    """A certificate with its key.

    Args:
        certificate: the certificate and its chain, as PEM.
        key: the key, as PEM.

    Raises:
        BadCertificate: they cannot be used.
    """

    def __init__(self, certificate: bytes, key: bytes) -> None:
        context = SSL.Context(SSL.TLS_SERVER_METHOD)
        context.set_min_proto_version(SSL.TLS1_2_VERSION)
        context.set_cipher_list(_CIPHERS)
        context.set_options(SSL.OP_NO_COMPRESSION | SSL.OP_NO_RENEGOTIATION)
        context.set_mode(SSL.MODE_RELEASE_BUFFERS)  # a connection that is idle needs none
        context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
        try:
            own, *chain = x509.load_pem_x509_certificates(certificate)
        except ValueError:
            raise BadCertificate("it contains no PEM certificate") from None
        try:
            private: Any = serialization.load_pem_private_key(key, None)
        except TypeError:
            raise BadCertificate("its key has a passphrase: remove that") from None
        except ValueError:
            raise BadCertificate("it contains no PEM private key") from None
        try:
            context.use_certificate(own)
            context.use_privatekey(private)
            context.check_privatekey()
            for other in chain:
                context.add_extra_chain_cert(other)
        except (SSL.Error, TypeError) as error:
            raise BadCertificate("the key and the certificate do not match") from error
        self.context = context
        self.fingerprint = "SHA256:" + own.fingerprint(hashes.SHA256()).hex(":").upper()
        """What people compare, as openssl shows it."""


@implementer(IOpenSSLServerConnectionCreator)
class Certificate:
    """The certificate that new connections get.

    Args:
        pair: the certificate and its key, which may be replaced at any time.
    """

    def __init__(self, pair: Pair) -> None:
        self.pair = pair

    def serverConnectionForTLS(self, tlsProtocol: object) -> SSL.Connection:
        """See Twisted."""
        return SSL.Connection(self.pair.context, None)


def read(certificate: Path, key: Path) -> Pair:
    """Read a certificate and its key from two files, which may be the same.

    Raises:
        BadCertificate: they cannot be read or used.
    """
    contents = []
    for path in (certificate, key):
        try:
            contents.append(path.read_bytes())
        except OSError as error:
            raise BadCertificate(f"cannot read {path}: {error.strerror}") from error
    try:
        return Pair(*contents)
    except BadCertificate as why:
        both = f"{certificate}" if certificate == key else f"{certificate} with {key}"
        raise BadCertificate(f"cannot use {both}: {why}") from why


def make(name: str, now: datetime | None = None) -> bytes:
    """A new key and a self-signed certificate for it, as PEM.

    Args:
        name: the host name of this machine.
        now: when its validity starts, a day early.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name[:64])])
    start = (now or datetime.now(UTC)) - timedelta(days=1)  # for clients whose clocks are slow
    hosts: list[x509.GeneralName] = [
        *(x509.DNSName(host) for host in dict.fromkeys((name, "localhost")) if host.isascii()),
        *(x509.IPAddress(ip_address(host)) for host in ("127.0.0.1", "::1")),
    ]
    builder = x509.CertificateBuilder(subject, subject, key.public_key())
    certificate = (
        builder.serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + _YEARS)
        .add_extension(x509.SubjectAlternativeName(hosts), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(
            x509.ExtendedKeyUsage([x509.oid.ExtendedKeyUsageOID.SERVER_AUTH]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return private + certificate.public_bytes(pem)


def keep(pem: bytes, path: Path) -> None:
    """Write a new file that only its owner can read.

    Raises:
        BadCertificate: it cannot be written.
    """
    try:
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(file, "wb") as out:
            out.write(pem)
    except OSError as error:
        raise BadCertificate(f"cannot write {path}: {error.strerror}") from error
