"""`ChatClient`, as a bot uses it; what it does about connections is in test_reconnecting."""

import subprocess
import sys
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from tests.client.desk import Server
from twisted_chat import ChatClient, Happened, Refused
from twisted_chat.client.chat_client import Heard, Lost, NicknameRefused, Unconfirmed
from twisted_chat.client.failed import Failed, Untrusted
from twisted_chat.client.incoming import Welcome
from twisted_chat.client.patience import NEVER
from twisted_chat.client.route import Address
from twisted_chat.events import Message


class ClientTestCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.server = Server()
        self.heard: list[Heard] = []
        self.client = ChatClient(self.clock, self.heard.append, jitter=lambda: 1.0)

    def connects(self) -> Deferred[Welcome]:
        """Be in the chat."""
        connected = self.client.connect(self.server, "ci")
        self.server.accepts()
        self.server.hears()
        self.server.welcomes("ci")
        return connected

    def stores(self, said: dict[str, Any], number: int, **keys: Any) -> None:
        """The server acknowledges something that was said."""
        given = {"room": said["room"], "text": said["text"], "ref": said["ref"]} | keys
        self.server.says("message", id=number, from_="ci", **given)

    def comes_back(self, **keys: Any) -> dict[str, Any]:
        """Lose the connection and make a new one; gives the hello."""
        self.server.vanishes()
        self.clock.advance(2)
        self.server.accepts()
        (hello,) = self.server.hears()
        self.server.welcomes("ci", **keys)
        return hello


class ConnectingTests(ClientTestCase):
    def test_connecting_is_done_when_one_is_in(self) -> None:
        connected = self.client.connect(self.server, "ci")
        self.server.accepts()
        self.assertNoResult(connected)
        self.server.welcomes("ci2")
        self.assertEqual(self.successResultOf(connected).nick, "ci2")
        self.assertTrue(self.client.is_me("CI2"))

    def test_a_certificate_that_is_not_trusted_is_an_error_of_its_own(self) -> None:
        connected = self.client.connect(self.server, "ci")
        self.server.refuses(Untrusted("changed"))
        self.failureResultOf(connected, Untrusted)
        self.successResultOf(self.connects())
        self.server.vanishes()
        self.clock.advance(2)
        self.server.refuses(Untrusted("changed"))
        self.failureResultOf(self.client.finished, Untrusted)
        self.assertEqual(self.heard[-1], Lost("changed", None))

    def test_a_room_is_entered_before_one_is_in(self) -> None:
        connected = self.client.connect(self.server, "ci", "builds")
        self.server.accepts()
        self.server.hears()
        self.server.welcomes("ci")
        (join,) = self.server.hears()
        self.assertEqual(join["text"], "/join #builds")
        self.assertNoResult(connected)
        self.server.says("answer", ref=join["ref"], lines=[])
        self.successResultOf(connected)

    def test_a_room_that_cannot_be_entered_is_a_refusal(self) -> None:
        connected = self.client.connect(self.server, "ci", "#builds")
        self.server.accepts()
        self.server.hears()
        self.server.welcomes("ci")
        (join,) = self.server.hears()
        self.server.says("error", ref=join["ref"], code="too-many-rooms", text="No.")
        self.assertEqual(self.failureResultOf(connected, Refused).value.code, "too-many-rooms")
        self.assertTrue(self.server.hung_up)

    def test_another_nickname_may_be_tried_and_what_was_said_is_said_then(self) -> None:
        connected = self.client.connect(self.server, "ci")
        said = self.client.say("hello")
        self.server.accepts()
        self.server.says("error", code="nick-taken", text="Taken.")
        self.assertEqual(self.failureResultOf(connected, NicknameRefused).value.text, "Taken.")
        connected = self.connects()
        self.successResultOf(connected)
        (sent,) = self.server.hears()
        self.stores(sent, 1)
        self.assertEqual(self.successResultOf(said), 1)

    def test_a_bot_may_know_several_addresses(self) -> None:
        other = Server()
        connected = self.client.connect([Address(self.server), Address(other)], "ci")
        self.server.refuses()
        self.clock.advance(0)
        other.accepts()
        other.welcomes("ci")
        self.successResultOf(connected)

    def test_connecting_anew_takes_the_place_of_an_attempt(self) -> None:
        first = self.client.connect(self.server, "ci")
        second = self.client.connect(self.server, "ci2")
        self.failureResultOf(first, Failed)
        self.server.accepts()
        self.server.welcomes("ci2")
        self.successResultOf(second)

    def test_a_session_that_another_program_has_resumed_is_left_to_it(self) -> None:
        self.successResultOf(self.connects())
        said = self.client.say("hello")
        self.server.says("error", code="replaced", text="This session continues elsewhere.")
        why = self.failureResultOf(self.client.finished, Refused).value
        self.assertEqual(why.code, "replaced")
        self.failureResultOf(said, Unconfirmed)
        self.assertTrue(self.server.hung_up)
        self.clock.advance(60)
        self.assertFalse(self.server.is_called)

    def test_a_server_that_is_not_there_is_a_failure_for_the_impatient(self) -> None:
        client = ChatClient(self.clock, patience=NEVER)
        connected, said = client.connect(self.server, "ci"), client.say("hello")
        self.server.refuses()
        why = self.failureResultOf(connected, Failed).getErrorMessage()
        self.assertEqual(why, "Connection refused by the server: is the server running?")
        self.failureResultOf(said, Failed)

    def test_who_has_not_connected_cannot_say_anything(self) -> None:
        self.failureResultOf(self.client.say("hello"), Failed)

    def test_closing_says_goodbye_and_fails_what_was_not_done(self) -> None:
        self.successResultOf(self.connects())
        sent = self.client.say("hello")
        self.server.hears()
        self.client.close("/quit bye")
        self.assertEqual(self.server.is_told(), ["/quit bye"])
        self.failureResultOf(sent, Unconfirmed)
        self.successResultOf(self.client.finished)
        self.assertTrue(self.server.hung_up)
        self.failureResultOf(self.client.say("more"), Failed)


class ConnectingAnewTests(ClientTestCase):
    """Whoever is told that the server cannot be reached tries another at once."""

    def setUp(self) -> None:
        super().setUp()
        self.other, self.connected = Server(), Deferred[Welcome]()

    def goes_elsewhere(self, _: object) -> None:
        self.connected = self.client.connect(self.other, "ci")

    def assert_connects(self) -> None:
        self.other.accepts()
        self.other.welcomes("ci")
        self.assertEqual(self.successResultOf(self.connected).nick, "ci")
        self.assertNoResult(self.client.finished)

    def test_when_the_connection_is_given_up(self) -> None:
        def hear(told: Heard) -> None:
            if told == Lost("Connection lost", None):
                self.goes_elsewhere(told)

        self.client = ChatClient(self.clock, hear, patience=NEVER)
        self.connects()
        self.server.vanishes()
        self.assert_connects()

    def test_when_a_line_is_given_up(self) -> None:
        self.client = ChatClient(self.clock, patience=NEVER)
        self.connects()
        self.client.say("done").addErrback(self.goes_elsewhere)
        self.server.vanishes()
        self.assert_connects()

    def test_when_one_leaves_before_a_line_is_stored(self) -> None:
        self.connects()
        self.client.say("done").addErrback(self.goes_elsewhere)
        self.client.close()
        self.assert_connects()


class TalkingTests(ClientTestCase):
    def test_a_line_is_said_when_it_is_stored(self) -> None:
        self.connects()
        said = self.client.say("hello", "#dev")
        (sent,) = self.server.hears()
        self.assertEqual((sent["do"], sent["room"], sent["text"]), ("say", "#dev", "hello"))
        self.assertNoResult(said)
        self.stores(sent, 7)
        self.assertEqual(self.successResultOf(said), 7)

    def test_a_refusal_is_one_with_its_code(self) -> None:
        self.connects()
        said = self.client.say("hello")
        (sent,) = self.server.hears()
        self.server.says("error", ref=sent["ref"], code="muted", text="Not now.")
        why = self.failureResultOf(said, Refused).value
        self.assertEqual((why.code, why.text), ("muted", "Not now."))

    def test_what_cannot_be_written_or_is_too_long_is_refused_and_never_sent(self) -> None:
        self.connects()
        for text, code in {"\ud800": "not-utf-8", "x" * 9_000: "too-long"}.items():
            refused = self.failureResultOf(self.client.say(text), Refused).value
            self.assertEqual(refused.code, code)
        self.assertEqual(self.server.is_told(), [])

    def test_a_command_is_done_when_it_is_answered(self) -> None:
        self.connects()
        asked = self.client.command("/users")
        (sent,) = self.server.hears()
        self.server.says("answer", ref=sent["ref"], lines=["In #lobby: ci (1)"])
        self.assertEqual(self.successResultOf(asked), ("In #lobby: ci (1)",))

    def test_what_others_say_is_heard_as_events(self) -> None:
        self.connects()
        self.heard.clear()
        self.server.says("message", id=3, room="#lobby", from_="bob", text="old", replayed=True)
        self.server.says("message", id=4, room="#lobby", from_="bob", text="new")
        old, new = self.heard
        assert isinstance(old, Happened)
        assert isinstance(new, Happened)
        assert isinstance(new.event, Message)
        self.assertEqual((old.id, old.replayed, new.id, new.replayed), (3, True, 4, False))
        self.assertEqual((new.event.sender, new.event.text), ("bob", "new"))

    def test_a_bot_that_fails_on_an_event_hears_the_next_one(self) -> None:
        self.connects()

        def hear(told: Heard) -> None:
            self.heard.append(told)
            raise ZeroDivisionError

        self.client.hear = hear
        self.heard.clear()
        for number in (1, 2):
            self.server.says("message", id=number, room="#lobby", from_="bob", text="hi")
        self.assertEqual(len(self.heard), 2)
        self.assertFalse(self.server.hung_up)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 2)


class ComingBackTests(ClientTestCase):
    def test_what_was_not_acknowledged_is_sent_once_more_under_the_same_name(self) -> None:
        self.connects()
        said = self.client.say("hello")
        (sent,) = self.server.hears()
        hello = self.comes_back(resumed=True)
        self.assertEqual((hello["session"], hello["seen"]), ("token", {"#lobby": 0, "@": 0}))
        self.assertEqual(self.server.hears(), [sent])
        self.server.says("answer", ref=sent["ref"], lines=[], id=5)
        self.assertEqual(self.successResultOf(said), 5)

    def test_what_was_said_while_there_was_no_connection_is_sent(self) -> None:
        self.connects()
        self.server.vanishes()
        self.assertEqual(self.heard[-1], Lost("Connection lost", 2.0))
        said = self.client.say("hello")
        self.clock.advance(2)
        self.server.accepts()
        self.server.hears()
        self.server.welcomes("ci", resumed=True)
        (sent,) = self.server.hears()
        self.stores(sent, 1)
        self.assertEqual(self.successResultOf(said), 1)

    def test_when_the_session_is_gone_nobody_knows_what_became_of_a_line(self) -> None:
        self.connects()
        said = self.client.say("hello")
        self.server.hears()
        self.comes_back()
        self.failureResultOf(said, Unconfirmed)
        self.assertEqual(self.server.hears(), [])


class ImportTests(SynchronousTestCase):
    def test_a_bot_needs_neither_the_server_nor_a_terminal(self) -> None:
        program = (
            "import sys; from twisted_chat import ChatClient, Happened, events\n"
            "print(*(name for name in sys.modules if name.startswith('twisted_chat.')), *(\n"
            "    name for name in ('prompt_toolkit', 'twisted.internet.reactor')\n"
            "    if name in sys.modules))"
        )
        run = subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, check=True
        )
        folders = {name.removeprefix("twisted_chat.").split(".")[0] for name in run.stdout.split()}
        self.assertEqual(folders, {"client", "events", "text", "wire", "limits", "refusal"})

    def test_what_there_is_not_cannot_be_imported(self) -> None:
        import twisted_chat

        self.assertFalse(hasattr(twisted_chat, "ChatServer"))
