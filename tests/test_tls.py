"""TLS: the certificate of the server's own, and those that are given to it."""

import stat
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from OpenSSL import SSL
from twisted.python.usage import UsageError
from twisted.trial.unittest import SynchronousTestCase

from tests.people import ChatTestCase
from tests.secure import SecurePerson, certificate
from twisted_chat.service import tls
from twisted_chat.service.endpoints import below_tls
from twisted_chat.service.options import Options


class CertificateTests(SynchronousTestCase):
    def setUp(self) -> None:
        """A folder."""
        super().setUp()
        self.folder = Path(self.mktemp())
        self.folder.mkdir()

    def file(self, name: str, content: bytes) -> Path:
        """A file in it."""
        path = self.folder / name
        path.write_bytes(content)
        return path

    def options(self, *words: str) -> Options:
        """Options as from a command line."""
        options = Options()
        options.parseOptions(["--db", str(self.folder / "chat.sqlite"), *words])
        return options

    def assert_wrong(self, sentence: str, *words: str) -> None:
        """These options are refused with this sentence."""
        why = str(self.assertRaises(UsageError, self.options, *words))
        self.assertEqual(why.replace(str(self.folder), "FOLDER"), sentence)

    def test_a_created_certificate_is_for_this_machine_and_ten_years(self) -> None:
        pem = tls.make("chat.example", datetime(2026, 11, 21, tzinfo=UTC))
        made = x509.load_pem_x509_certificate(pem)
        names = made.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        self.assertEqual(names.get_values_for_type(x509.DNSName), ["chat.example", "localhost"])
        self.assertEqual(
            names.get_values_for_type(x509.IPAddress),
            [ip_address("127.0.0.1"), ip_address("::1")],
        )
        self.assertEqual(made.not_valid_before_utc.isoformat(), "2026-11-20T00:00:00+00:00")
        self.assertEqual(made.not_valid_after_utc.year, 2036)

    def test_only_its_owner_can_read_its_key_which_is_never_overwritten(self) -> None:
        path = self.folder / "chat.tls.pem"
        tls.keep(b"key", path)
        self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o600)
        why = self.assertRaises(tls.BadCertificate, tls.keep, b"other", path)
        self.assertIn("cannot write", str(why))
        self.assertEqual(path.read_bytes(), b"key")

    def test_its_fingerprint_looks_as_in_openssl(self) -> None:
        self.assertRegex(
            certificate().pair.fingerprint, r"\ASHA256:([0-9A-F]{2}:){31}[0-9A-F]{2}\Z"
        )

    def test_a_created_certificate_is_used_again(self) -> None:
        pem = tls.make("chat.example")
        self.file("chat.tls.pem", pem)
        pair = self.options("--tls-port", "0").pair
        assert pair is not None
        self.assertEqual(pair.fingerprint, tls.Pair(pem, pem).fingerprint)

    def test_there_is_no_certificate_before_the_first_start(self) -> None:
        self.assertIsNone(self.options("--tls-port", "0").pair)

    def test_a_key_may_have_a_file_of_its_own(self) -> None:
        pem = tls.make("chat.example")
        start = pem.index(b"-----BEGIN CERTIFICATE")
        key, cert = self.file("key.pem", pem[:start]), self.file("cert.pem", pem[start:])
        options = self.options("--tls-port", "0", "--tls-cert", str(cert), "--tls-key", str(key))
        self.assertIsNotNone(options.pair)

    def test_the_whole_chain_is_sent(self) -> None:
        pem, other = tls.make("chat.example"), tls.make("authority.example")
        pair = tls.Pair(pem + other[other.index(b"-----BEGIN CERTIFICATE") :], pem)
        server = SSL.Connection(pair.context, None)
        server.set_accept_state()
        client = SSL.Connection(SSL.Context(SSL.TLS_CLIENT_METHOD), None)
        client.set_connect_state()
        self.assertRaises(SSL.WantReadError, client.do_handshake)
        server.bio_write(client.bio_read(1 << 16))
        self.assertRaises(SSL.WantReadError, server.do_handshake)
        client.bio_write(server.bio_read(1 << 16))
        client.do_handshake()
        self.assertEqual(len(client.get_peer_cert_chain() or ()), 2)

    def test_an_unusable_certificate_is_explained_in_a_sentence(self) -> None:
        pem, other = tls.make("chat.example"), tls.make("other.example")
        good = str(self.file("good.pem", pem))
        cert = str(self.file("cert.pem", pem[pem.index(b"-----BEGIN CERTIFICATE") :]))
        stranger = str(self.file("other.pem", other))
        text = str(self.file("text.pem", b"hello"))
        tls_port = ("--tls-port", "0", "--tls-cert")
        for words, sentence in (
            (("FOLDER/none.pem",), "cannot read FOLDER/none.pem: No such file or directory"),
            ((text,), "cannot use FOLDER/text.pem: it contains no PEM certificate"),
            ((cert,), "cannot use FOLDER/cert.pem: it contains no PEM private key"),
            (
                (good, "--tls-key", stranger),
                (
                    "cannot use FOLDER/good.pem with FOLDER/other.pem: "
                    "the key and the certificate do not match"
                ),
            ),
        ):
            given = [word.replace("FOLDER", str(self.folder)) for word in words]
            self.assert_wrong(f"--tls-cert: {sentence}", *tls_port, *given)
        self.assert_wrong(
            "--tls-key needs --tls-cert: the certificate for this key",
            *tls_port[:2],
            "--tls-key",
            good,
        )

    def test_an_endpoint_without_a_certificate_uses_the_servers(self) -> None:
        for description, below in (
            ("ssl:5001", "tcp:5001"),
            (r"ssl:5001:interface=\:\:1:backlog=5", r"tcp:5001:interface=\:\:1:backlog=5"),
            ("ssl:5001:privateKey=key.pem", None),
            ("ssl:5001:key.pem", None),
            ("tls:/etc/keys:5001", None),
            ("tcp:5001", None),
        ):
            self.assertEqual(below_tls(description), below)

    def test_the_tls_port_is_an_additional_port(self) -> None:
        options = self.options("--port", "7", "--tls-port", "8", "--interface", "::1")
        self.assertEqual(
            options.endpoints,
            [
                r"tcp:7:interface=\:\:1:backlog=4096",
                r"ssl:8:interface=\:\:1:backlog=4096",
            ],
        )
        self.assertEqual(self.options("-e", "unix:x", "--tls-port", "8").endpoints[0], "unix:x")

    def test_a_certificate_is_read_only_if_it_is_used(self) -> None:
        self.assertFalse(self.options("--web-port", "0").has_tls)
        for words in (("--tls-port", "0"), ("-e", "ssl:0"), ("--web-endpoint", "ssl:0")):
            self.assertTrue(self.options(*words).has_tls)

    def test_without_the_libraries_it_says_what_to_install(self) -> None:
        from twisted_chat.service import options

        self.patch(options, "find_spec", lambda _: None)
        sentence = "--{} needs TLS: pip install 'twisted[tls]'"
        self.assert_wrong(sentence.format("tls-port"), "--tls-port", "0")
        self.assert_wrong(sentence.format("web-endpoint"), "--web-endpoint", "ssl:0")


class ConnectionTests(ChatTestCase):
    def test_old_versions_of_tls_are_refused(self) -> None:
        for version, speaks in (
            (SSL.TLS1_1_VERSION, False),
            (SSL.TLS1_2_VERSION, True),
            (SSL.TLS1_3_VERSION, True),
        ):
            context = SSL.Context(SSL.TLS_CLIENT_METHOD)
            context.set_cipher_list(b"DEFAULT@SECLEVEL=0")
            context.set_min_proto_version(version)
            context.set_max_proto_version(version)
            person = SecurePerson(self.factory, context=context)
            self.assertEqual("What is your nickname?" in person.raw(), speaks)

    def test_a_new_certificate_is_for_new_connections(self) -> None:
        shown = certificate()
        self.addCleanup(setattr, shown, "pair", shown.pair)
        before = SecurePerson(self.factory).types("alice")
        pem = tls.make("chat.example")
        shown.pair = tls.Pair(pem, pem)
        after = SecurePerson(self.factory).types("bob")
        self.assertNotEqual(before.fingerprint, after.fingerprint)
        self.assertEqual(after.fingerprint, shown.pair.fingerprint)
        before.types("still here")
        self.assertIn("alice: still here", after.raw())

    def test_a_handshake_that_is_never_finished_ends_with_the_time_for_a_nickname(self) -> None:
        silent = SecurePerson(self.factory, is_silent=True)
        self.assertEqual(len(self.factory.connections), 1)
        self.time_passes(29)
        self.assertFalse(silent.is_gone)
        self.time_passes(4)
        self.assertTrue(silent.is_gone)
