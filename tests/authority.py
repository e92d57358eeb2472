"""A throw-away authority, and what it signs."""

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

_PEM = serialization.Encoding.PEM


class Authority:
    """An authority that vouches for addresses."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Test Authority")])
        usage = x509.BasicConstraints(ca=True, path_length=0)
        builder = self._builder(self._name, self._key.public_key())
        certificate = builder.add_extension(usage, critical=True).sign(self._key, hashes.SHA256())
        self.pem = certificate.public_bytes(_PEM)

    def signs(self, address: str, *, days: int = 30) -> bytes:
        """A certificate for a server at an address, with its key, as PEM.

        Args:
            address: an IP address.
            days: until it expires.
        """
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "chat")])
        hosts = x509.SubjectAlternativeName([x509.IPAddress(ip_address(address))])
        builder = self._builder(name, key.public_key(), days).add_extension(hosts, critical=False)
        private = key.private_bytes(
            _PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return private + builder.sign(self._key, hashes.SHA256()).public_bytes(_PEM)

    def _builder(
        self, name: x509.Name, key: ec.EllipticCurvePublicKey, days: int = 30
    ) -> x509.CertificateBuilder:
        now = datetime.now(UTC)
        builder = x509.CertificateBuilder(self._name, name, key, x509.random_serial_number())
        return builder.not_valid_before(now - timedelta(days=60)).not_valid_after(
            now + timedelta(days=days)
        )
