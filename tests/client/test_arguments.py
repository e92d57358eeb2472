import contextlib
import io
from unittest import mock

from twisted.trial.unittest import SynchronousTestCase

from twisted_chat.client import arguments
from twisted_chat.client.patience import FOR_EVER, NEVER, SCRIPT


class ArgumentTests(SynchronousTestCase):
    def refuses(self, *argv: str, can_ask: bool = False) -> str:
        """The last line of what one reads, who types this."""
        errors = io.StringIO()
        with contextlib.redirect_stderr(errors):
            stopped = self.assertRaises(SystemExit, arguments.parse, argv, can_ask=can_ask)
        self.assertEqual(stopped.code, 2)
        return errors.getvalue().splitlines()[-1]

    def test_a_place_may_be_written_in_all_the_usual_ways(self) -> None:
        for typed, meant in {
            (): ("127.0.0.1", 5000),
            ("example.org",): ("example.org", 5000),
            ("example.org", "6000"): ("example.org", 6000),
            ("example.org:6000",): ("example.org", 6000),
            (":6000",): ("127.0.0.1", 6000),
            ("[::1]:6000",): ("::1", 6000),
            ("[::1]",): ("::1", 5000),
            ("[::1]", "6000"): ("::1", 6000),
            ("::1",): ("::1", 5000),
            ("fe80::1", "6000"): ("fe80::1", 6000),
        }.items():
            given = arguments.parse([*typed, "--nick", "alice"], can_ask=False)
            self.assertEqual((given.places[0].host, given.places[0].port), meant)

    def test_a_place_may_be_a_unix_socket(self) -> None:
        given = arguments.parse(["unix:/run/chat:5.sock", "--nick", "alice"], can_ask=False)
        self.assertEqual(str(given.places[0]), "/run/chat:5.sock")
        self.assertIn("no socket path", self.refuses("unix:", "--nick", "alice"))
        self.assertIn("no port", self.refuses("unix:/run/s", "5000", "--nick", "alice"))

    def test_there_may_be_several_places(self) -> None:
        nick = ["--nick", "alice"]
        given = arguments.parse(["a.example, b.example:5001,[::1]:5002", *nick], can_ask=False)
        self.assertEqual(
            [each.address for each in given.places],
            ["a.example:5000", "b.example:5001", "[::1]:5002"],
        )
        given = arguments.parse(["a.example,b.example", "6000", *nick], can_ask=False)
        self.assertEqual([each.port for each in given.places], [6000, 6000])
        given = arguments.parse(["--tls", "a.example,b.example", *nick], can_ask=False)
        self.assertTrue(all(each.tls for each in given.places))
        self.assertIn("two ports", self.refuses("a.example,b.example:5001", "6000", *nick))

    def test_with_tls_one_does_not_go_on_without(self) -> None:
        nick = ["--nick", "alice"]
        for mixed in ("tls://a.example,b.example", "a.example,tls://b.example:5001"):
            self.assertIn("use --tls for all", self.refuses(mixed, *nick))
        given = arguments.parse(["tls://a.example:5001,unix:/run/s", *nick], can_ask=False)
        self.assertEqual([each.tls for each in given.places], [True, False])

    def test_a_server_is_looked_for_by_people_who_name_none(self) -> None:
        for argv, can_ask, is_anywhere in (
            ([], True, True),
            ([], False, False),  # a script must not send its lines to anybody who announces a chat
            (["127.0.0.1"], True, False),
        ):
            given = arguments.parse([*argv, "--nick", "alice"], can_ask=can_ask)
            self.assertEqual(given.is_anywhere, is_anywhere)
            self.assertEqual(str(given.places[0]), "127.0.0.1 port 5000")

    def test_a_server_with_tls_may_be_asked_for(self) -> None:
        given = arguments.parse(["--tls", "[::1]:6000", "--nick", "alice"], can_ask=False)
        self.assertEqual((given.places[0].tls, given.fingerprint), (True, None))
        self.assertEqual(given.places[0].address, "[::1]:6000")
        given = arguments.parse(["Example.org", "--nick", "alice"], can_ask=False)
        self.assertEqual(
            (given.places[0].tls, given.places[0].address), (False, "example.org:5000")
        )

    def test_a_fingerprint_asks_for_tls(self) -> None:
        pinned = ["--fingerprint", "sha256:" + "1a" * 32, "--nick", "alice"]
        given = arguments.parse(pinned, can_ask=False)
        self.assertEqual(
            (given.places[0].tls, given.fingerprint), (True, "SHA256:" + ":".join(["1A"] * 32))
        )
        self.assertIn("64 hexadecimal", self.refuses("--fingerprint", "1A", "--nick", "a"))
        self.assertIn("no TLS", self.refuses("--tls", "unix:/run/s", "--nick", "a"))

    def test_without_the_library_for_tls_one_is_told_what_to_install(self) -> None:
        self.patch(arguments, "find_spec", lambda _: None)
        sentence = self.refuses("--tls", "--nick", "alice")
        self.assertIn("--tls needs a library: pip install 'twisted[tls]'", sentence)

    def test_a_person_is_patient_and_a_script_only_if_told_to_be(self) -> None:
        for options, person, script in (
            ([], FOR_EVER, SCRIPT),
            (["--reconnect"], FOR_EVER, FOR_EVER),
            (["--no-reconnect"], NEVER, NEVER),
            (["--wait", "30s"], (30, 30), (30, 30)),
            (["--wait", "2m"], (120, 120), (120, 120)),
            (["--wait", "7"], (7, 7), (7, 7)),
        ):
            for can_ask, patience in ((True, person), (False, script)):
                given = arguments.parse([*options, "--nick", "alice"], can_ask=can_ask)
                self.assertEqual(given.patience, patience)
        self.assertEqual(arguments.parse(["--json", "--nick", "a"], can_ask=True).patience, SCRIPT)
        self.assertIn("must be a time such as 30s", self.refuses("--wait", "soon"))

    def test_a_wrong_place_is_one_line(self) -> None:
        for typed in (["h", "0"], ["h:65536"], ["h:port"], ["h:"], ["h:1", "2"], ["h", "²"]):
            self.assertIn("port", self.refuses(*typed, "--nick", "alice"))

    def test_a_wrong_option_is_one_line(self) -> None:
        self.assertIn("--frob", self.refuses("--frob"))
        self.assertIn("--json", self.refuses("--plain", "--json"))

    def test_a_login_name_that_is_reserved_is_not_used(self) -> None:
        with mock.patch.dict("os.environ", {"LOGNAME": "root"}):
            self.assertIn("--nick NICK", self.refuses())
            self.assertIn("--nick NICK", self.refuses("--json", can_ask=True))
            self.assertEqual(arguments.parse([], can_ask=True).nick, "")

    def test_a_login_name_that_can_be_used_is(self) -> None:
        with mock.patch.dict("os.environ", {"LOGNAME": "alice"}):
            self.assertEqual(arguments.parse([], can_ask=False).nick, "alice")

    def test_an_empty_nickname_is_none(self) -> None:
        self.assertIn("--nick NICK", self.refuses("--nick", " ", can_ask=True))
