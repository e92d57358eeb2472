"""What the operator writes into a file."""

import contextlib
import io
from importlib import metadata
from pathlib import Path

from twisted.python import usage
from twisted.trial.unittest import SynchronousTestCase

from twisted_chat import Pace
from twisted_chat.service.options import Options


class ConfigTests(SynchronousTestCase):
    def setUp(self) -> None:
        """A file that is still empty."""
        self.file = Path(self.mktemp())

    def options(self, content: str, *arguments: str) -> Options:
        """What a file and a command line mean."""
        self.file.write_text(content)
        options = Options()
        options.parseOptions(["--config", str(self.file), *arguments])
        return options

    def mistake(self, content: str) -> str:
        """What is said of a file, without its name."""
        error = self.assertRaises(usage.UsageError, self.options, content)
        return str(error).replace(str(self.file), "FILE")

    def test_everything_that_the_command_line_says_a_file_can_say(self) -> None:
        options = self.options(
            """
            port = 5001
            name = "the lab"
            no-db = true
            flood = "off"
            endpoint = ["tcp:5001", "tcp:5002"]

            [limits]
            per-address = 3
            nickname-seconds = 4.5
            renames = "1/10"
            """
        )
        self.assertEqual(options["name"], "the lab")
        self.assertIsNone(options.database)
        self.assertEqual(options.endpoints, ["tcp:5001", "tcp:5002"])
        limits = options.limits
        self.assertIsNone(limits.pace)
        self.assertEqual(
            (limits.per_address, limits.nickname_seconds, limits.renames), (3, 4.5, Pace(1, 10))
        )

    def test_the_command_line_is_stronger(self) -> None:
        content = 'port = 5001\nendpoint = "tcp:7"'
        options = self.options(content, "--endpoint", "tcp:8", "--rooms=5")
        self.assertEqual((options.endpoints, options.limits.rooms), (["tcp:8"], 5))
        self.assertEqual(self.options("rooms = 7", "--rooms", "5").limits.rooms, 5)

    def test_sizes_are_written_with_their_units(self) -> None:
        for written, size in (("5MB", 5_000_000), ("1GB", 10**9), ("500kB", 500_000), ("7", 7)):
            limits = self.options("", "--file-size", written).limits
            self.assertEqual((limits.file_size, str(limits.file_size)), (size, written))

    def test_files_are_kept_beside_the_database(self) -> None:
        for words, folder in (
            ([], "chat.files"),
            (["--db", "other.sqlite"], "other.files"),
            (["--files", "there"], "there"),
            (["--no-db"], "None"),
        ):
            self.assertEqual(str(self.options("", *words).files), folder)

    def test_the_file_is_read_however_the_option_is_spelled(self) -> None:
        self.file.write_text("rooms = 7\nno-db = true")
        for spelling in (
            ["-c", f"{self.file}"],
            [f"-c{self.file}"],
            ["--config", f"{self.file}"],
            [f"--config={self.file}"],
            [f"--conf={self.file}"],
            ["--conf", f"{self.file}"],
            ["--name", "-c", "-c", f"{self.file}"],
        ):
            options = Options()
            options.parseOptions(spelling)
            self.assertEqual(options.limits.rooms, 7, spelling)

    def test_no_other_word_is_taken_for_the_file(self) -> None:
        for words in (["--name", "--config"], ["--name", f"--config={self.file}"]):
            options = Options()
            options.parseOptions(["--no-db", *words])
            self.assertEqual(options["name"], words[-1])

    def test_a_second_file_and_one_without_a_name_are_refused(self) -> None:
        for words, told in (
            (["-c", "a", "--conf=b"], "--config can be given only once"),
            (["--config="], "cannot read --config"),
            (["--no-db", "--", "--config", "a"], "'--config' is not an option"),
        ):
            error = self.assertRaises(usage.UsageError, Options().parseOptions, words)
            self.assertIn(told, str(error))

    def test_the_endpoints_of_the_command_line_are_used_however_they_are_spelled(self) -> None:
        for words in (["-etcp:8"], ["--endp", "tcp:8"], ["--end=tcp:8"]):
            self.assertEqual(self.options("endpoint = 'tcp:7'", *words).endpoints, ["tcp:8"])
        content = "endpoint = 'tcp:7'"
        self.assertEqual(self.options(content, "--name", "-east").endpoints, ["tcp:7"])

    def test_what_is_wrong_with_a_command_line_is_one_line_that_names_the_option(self) -> None:
        for words, told in (
            (["--port=x"], "--port must be a number from 0 to 65535, not 'x'"),
            (["--che", "--port", "70000"], "--port must be a number from 0 to 65535, not '70000'"),
            (["--unheard-of"], "option --unheard-of not recognized: --help lists the options"),
            (["--prot=5"], "option --prot not recognized: did you mean --port?"),
            (["5000"], "'5000' is not an option: options begin with --"),
        ):
            options = Options()
            options.parent = usage.Options()
            with contextlib.redirect_stderr(io.StringIO()) as console:
                self.assertRaises(SystemExit, options.parseOptions, words)
            self.assertEqual(console.getvalue(), f"twisted-chat: {told}\n")

    def test_help_is_by_group_and_the_limits_have_a_page_of_their_own(self) -> None:
        shown = str(Options())
        self.assertIn("\nWho may connect:\n      --ban-file= ", shown)
        self.assertNotIn("--rooms-per-person", shown)
        self.assertLess(len(shown.splitlines()), 88)
        self.assertLessEqual(max(map(len, shown.splitlines())), 80)
        with contextlib.redirect_stdout(io.StringIO()) as console:
            self.assertRaises(SystemExit, Options().parseOptions, ["--help-limits"])
        self.assertIn("--rooms-per-person", console.getvalue())

    def test_the_version_is_ours(self) -> None:
        with contextlib.redirect_stdout(io.StringIO()) as console:
            self.assertRaises(SystemExit, Options().parseOptions, ["--version"])
        self.assertEqual(console.getvalue(), f"twisted-chat {metadata.version('twisted-chat')}\n")

    def test_what_is_wrong_with_an_endpoint_is_said_in_words(self) -> None:
        for endpoint, told in (
            ("tcp:abc", "'abc' is not a number"),
            ("tcp", "its port is missing, as in tcp:..."),
            ("tcp:5000:speed=9", "this kind of endpoint has no 'speed'"),
            ("5000", "Unknown endpoint type: '5000'"),
            ("systemd:domain=INET:name=chat", "systemd passed no such socket to this process"),
        ):
            error = self.assertRaises(usage.UsageError, Options().parseOptions, ["-e", endpoint])
            self.assertEqual(str(error), f"cannot use --endpoint {endpoint}: {told}")

    def test_an_empty_file_changes_nothing(self) -> None:
        self.assertEqual(self.options("").limits, Options().limits)

    def test_a_mistake_is_told_with_its_line(self) -> None:
        for content, told in (
            ("port = 1\nprt = 2", "FILE, line 2: there is no option prt: did you mean port?"),
            ("config = 'x'", "FILE, line 1: config can only be given on the command line"),
            ("check = true", "FILE, line 1: check can only be given on the command line"),
            ("\n\nport = 70000", "FILE, line 3: port must be a number from 0 to 65535"),
            ("port = true", "FILE, line 1: port must be a string or a number"),
            ("no-db = 1", "FILE, line 1: no-db must be true or false"),
            ("[limits]\nrooms = 0", "FILE, line 2: rooms must be a whole number of 1 or more"),
            ("limits = 5", "FILE, line 1: there is no option limits"),
            ("[ports]\na = 1", "FILE, line 1: there is no option ports: did you mean port?"),
            ("port = 1\nport = 2", "FILE, line 2: this option already has a value"),
            ("name = 'a\\x07", "FILE, line 1: expected "),
            ("name = x", "FILE, line 1: invalid value"),
            ("endpoint = [5, [6]]", "FILE, line 1: endpoint must be a string or a number"),
            ("flood = '1/0'", "FILE, line 1: flood must be COUNT/SECONDS, such as 10/5, not '1/0'"),
            ("renames = 'off'", "FILE, line 1: renames must be COUNT/SECONDS, such as 10/5"),
            ("close-seconds = -1", "FILE, line 1: close-seconds must be a number of seconds"),
        ):
            self.assertTrue(self.mistake(content).startswith(told), self.mistake(content))

    def test_a_file_that_python_cannot_read(self) -> None:
        brackets, digits = "is nested far too deeply", "a number with far too many digits"
        for content, told in (
            ("x = " + "[" * 50_000, f"FILE {brackets}"),
            ("x = " + "{a=" * 50_000, f"FILE {brackets}"),
            ("port = " + "9" * 5_000, f"FILE has {digits}"),
            ("x = [1, 1" + "0" * 5_000 + "]", f"FILE has {digits}"),
            ("\nport = 0x" + "f" * 5_000, "FILE, line 2: port has far too many digits"),
        ):
            self.assertEqual(self.mistake(content), told)

    def test_a_text_with_a_nul_is_refused(self) -> None:
        for name in ("db", "transcript", "interface", "endpoint", "motd", "name"):
            told = f"FILE, line 1: {name} cannot have a NUL character"
            self.assertEqual(self.mistake(f'{name} = "a\\u0000b"'), told)

    def test_a_file_that_cannot_be_read(self) -> None:
        self.file.write_bytes(b"name = '\xff'")
        for path, told in ((self.file, "is not UTF-8"), (self.file.parent, "Is a directory")):
            error = self.assertRaises(usage.UsageError, Options().parseOptions, ["-c", str(path)])
            self.assertIn(told, str(error))

    def test_lists_of_addresses(self) -> None:
        banned = Path(self.mktemp())
        banned.write_text("192.0.2.7\n# and their friends\n2001:db8::/32\n")
        options = self.options(f"ban-file = '{banned}'")
        self.assertIn("2001:db8::5", options.banned)
        self.assertNotIn("2001:db8::5", options.allowed)
        banned.write_text("192.0.2.7\nmallory\n")
        told = self.mistake(f"ban-file = '{banned}'")
        self.assertIn(f"--ban-file {banned}, line 2: 'mallory' is not an address", told)

    def test_the_addresses_of_the_chat_may_be_a_list_or_given_several_times(self) -> None:
        told = ["a.example:5000", "tls://b.example:5001", "https://a.example"]
        words = ["--join-with", "A.example, tls://b.example:5001", "--join-with=https://a.example/"]
        self.assertEqual(self.options("", *words).addresses, told)
        self.assertEqual(self.options(f"join-with = {told}").addresses, told)
        self.assertEqual(self.options(f"join-with = '{','.join(told)}'").addresses, told)
        self.assertEqual(self.options("join-with = 'b.example'", *words).addresses, told)

    def test_a_page_is_named_as_browsers_name_it(self) -> None:
        for given, told in {
            "https://a.example:443": "https://a.example",
            "http://a.example:80/": "http://a.example",
            "https://a.example:5001": "https://a.example:5001",
            "http://[::1]:5000": "http://[::1]:5000",
        }.items():
            self.assertEqual(self.options(f"join-with = '{given}'").addresses, [told])

    def test_what_is_no_address_of_a_chat_is_refused(self) -> None:
        for wrong in (
            *("", "a.example,", "a b", "a.example:0", "a.example:99999", "ftp://a.example"),
            *("https://a.example/chat", "https://a.example; script-src *", "unix:/run/chat.sock"),
            *("tls://user@a.example", "::1", "x" * 300),
        ):
            self.assertIn(
                "join-with must be addresses such as", self.mistake(f"join-with = '{wrong}'")
            )
        many = ",".join(f"a{n}.example" for n in range(17))
        self.assertIn("at most 16 addresses", self.mistake(f"join-with = '{many}'"))

    def test_the_same_command_line_is_read_again_as_its_files_are_now(self) -> None:
        options = self.options("rooms = 7", "--refs", "8")
        self.file.write_text("rooms = 9")
        limits = options.again().limits
        self.assertEqual((limits.rooms, limits.refs), (9, 8))
