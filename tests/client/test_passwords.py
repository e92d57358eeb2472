"""Passwords at the client: no screen shows them, and nothing keeps them."""

import os
import pty
import termios
from pathlib import Path
from typing import Any

from prompt_toolkit.buffer import Buffer
from prompt_toolkit.document import Document
from prompt_toolkit.layout.controls import BufferControl
from prompt_toolkit.layout.processors import TransformationInput
from twisted.trial.unittest import SynchronousTestCase

from tests.client.desk import DeskTest
from tests.client.test_chat_client import ClientTestCase
from twisted_chat.client.arguments import parse
from twisted_chat.client.chat_client import NicknameRefused
from twisted_chat.client.hiding import HidePasswords
from twisted_chat.client.incoming import Member
from twisted_chat.client.secrecy import is_secret, without_secret

SECRETS = (
    "/login alice hunter22",
    "/register hunter22",
    " /password hunter22 hunter23",
    "/forget hunter22",
    "login alice hunter22",
    "\\register hunter22",
    "/ LOGIN hunter22",
    ".identify hunter22",
    "-login hunter22",
    "login: hunter22",
    "/me /login alice hunter22",
    "/whisper bob /login hunter22",
    "@bob .login hunter22",
)


def shown(line: str, *, is_asked: bool = False) -> str:
    """What stands on the screen while a line is being typed."""
    buffer = Buffer()
    given = TransformationInput(
        BufferControl(buffer), Document(line), 0, lambda at: at, [("", line)], 80, 24
    )
    hidden = HidePasswords(lambda: is_asked).apply_transformation(given)
    return "".join(piece[1] for piece in hidden.fragments)


class SecretTests(SynchronousTestCase):
    def test_lines_with_a_password_are_known(self) -> None:
        for line in SECRETS:
            self.assertTrue(is_secret(line), line)
            self.assertTrue(is_secret(f"hello\n{line}"), line)
            self.assertNotIn("hunter2", without_secret(line))

    def test_others_are_not(self) -> None:
        for line in ("hello", "forget about it", "passwords are bad", "/login", "/topic login x"):
            self.assertFalse(is_secret(line), line)
            self.assertEqual(without_secret(line), line)

    def test_stars_stand_on_the_screen(self) -> None:
        self.assertEqual(shown("/login alice pw"), "/login ********")
        self.assertEqual(shown("/lo"), "/lo")
        self.assertEqual(shown("hello"), "hello")
        self.assertEqual(shown("hunter22", is_asked=True), "********")


class LoggingInTests(ClientTestCase):
    def test_the_password_is_in_hello_also_when_the_connection_is_made_again(self) -> None:
        self.client.connect(self.server, "ci", password="hunter22")
        self.server.accepts()
        (hello,) = self.server.hears()
        self.assertEqual(hello, {"do": "hello", "nick": "ci", "password": "hunter22"})
        self.server.welcomes("ci")
        self.server.hears()
        self.server.vanishes()
        self.clock.advance(2)
        self.server.accepts()
        self.assertEqual(self.server.hears()[0]["password"], "hunter22")

    def test_a_wrong_one_is_told_with_its_code(self) -> None:
        connected = self.client.connect(self.server, "ci", password="hunter22")
        self.server.accepts()
        self.server.says("error", code="bad-password", text="Wrong.")
        why: Any = self.failureResultOf(connected, NicknameRefused).value
        self.assertEqual(why.code, "bad-password")

    def test_who_logs_in_later_is_somebody_else_and_nothing_is_given_up(self) -> None:
        self.connects()
        done = self.client.command("/login alice hunter22")
        (asked,) = self.server.hears()
        self.server.welcomes("alice", account="alice")
        self.assertEqual(self.client.nick, "alice")
        self.server.says("answer", ref=asked["ref"], lines=[])
        self.assertEqual(self.successResultOf(done), ())


class DeskPasswordTests(DeskTest):
    def test_a_registered_name_is_asked_for_its_password(self) -> None:
        alice, server = self.desk(plain=True)
        server.accepts()
        server.hears()
        server.says("error", code="registered-nick", text="Registered.")
        self.assertEqual(alice.sees(), ["Password for alice:"])
        alice.types("hunter22")
        server.accepts()
        self.assertEqual(server.hears()[0]["password"], "hunter22")
        self.assertEqual(alice.sees(), [])
        server.says("error", code="bad-password", text="Wrong.")
        self.assertEqual(alice.sees(), ["!!! Wrong.", "What is your nickname?"])

    def test_a_refused_line_is_shown_without_it(self) -> None:
        bot, server = self.connected()
        bot.types("/register hunter22")
        (asked,) = server.hears()
        server.says("error", ref=asked["ref"], code="weak-password", text="Too short.")
        self.assertEqual(bot.is_warned(), ["!!! Too short. [/register ...]"])

    def test_a_line_that_was_never_sent_is_shown_without_it(self) -> None:
        alice, server = self.connected(plain=True)
        server.vanishes()
        alice.types("/register hunter22", "/quit")
        self.assertNotIn("hunter22", "".join(alice.sees()))

    def test_registered_names_have_a_star(self) -> None:
        alice, server = self.connected(plain=True)
        members = [{"nick": "bob", "account": "bob"}, {"nick": "robert", "account": "bob"}]
        server.says("state", room="#dev", topic="", members=members, count=2)
        self.assertIn("*** In #dev: bob*, robert (2)", alice.sees())
        self.assertEqual(Member("Bob", account="bob").shown, "Bob*")

    def test_what_another_device_says_is_shown_once(self) -> None:
        alice, server = self.connected(plain=True)
        server.says("message", id=1, room="#lobby", from_="alice", text="from my telephone")
        (line,) = alice.sees()
        self.assertTrue(line.endswith("alice: from my telephone"))

    def test_a_terminal_does_not_echo_it(self) -> None:
        master, slave = pty.openpty()
        self.addCleanup(os.close, master)
        self.addCleanup(os.close, slave)
        alice, server = self.desk(plain=True)
        alice.view._fd = slave
        server.accepts()
        server.says("error", code="registered-nick", text="Registered.")
        self.assertFalse(termios.tcgetattr(slave)[3] & termios.ECHO)
        alice.types("hunter22")
        self.assertTrue(termios.tcgetattr(slave)[3] & termios.ECHO)


class ArgumentTests(SynchronousTestCase):
    def test_a_file_has_the_password_in_its_first_line(self) -> None:
        path = self.mktemp()
        Path(path).write_text("correct horse\n# a comment\n")
        given = parse(["--nick", "ci", "--password-file", path], can_ask=False)
        self.assertEqual(given.password, "correct horse")
        self.assertNotIn("correct horse", repr(given))

    def test_a_file_without_one_is_refused(self) -> None:
        path = self.mktemp()
        for made in (False, True):
            if made:
                Path(path).write_text("\n")
            with self.assertRaises(SystemExit):
                parse(["--nick", "ci", "--password-file", path], can_ask=False)
