"""What everybody has on their machine is enough to chat."""

import pytest

from tests.e2e.patience import needs, run
from tests.e2e.people import Plain, Program, Typist, said
from tests.e2e.server import Server

pytestmark = pytest.mark.e2e


def netcat(server: Server, *options: str) -> Typist:
    return Typist("nc", *options, "127.0.0.1", str(server.port))


def telnet(server: Server, *, terminal: bool = True) -> Typist:
    return Typist("telnet", "127.0.0.1", str(server.port), terminal=terminal)


def test_netcat_telnet_and_a_program_talk_to_each_other(server: Server) -> None:
    nell = netcat(server).comes_in("nell")
    tom = telnet(server).comes_in("tom")
    bot = Program(server.port, "bot")
    everybody = (nell, tom, bot)
    bot.gets(event="state", count=3)
    nell.types("hello from netcat")
    assert said(tom.sees("hello from netcat")) == "nell: hello from netcat"
    bot.gets(event="message", text="hello from netcat", **{"from": "nell"})
    tom.types("grüße from telnet 😀")
    assert said(nell.sees("from telnet")) == "tom: grüße from telnet 😀"
    bot.gets(event="message", text="grüße from telnet 😀", **{"from": "tom"})
    bot.says("beep")
    for person in (nell, tom):
        assert said(person.sees("beep")) == "bot: beep"
    nell.types("/quit")
    tom.sees("*** nell has left #lobby")
    nell.ends_input()  # OpenBSD's netcat waits for that
    assert nell.exits() == 0
    assert all("Traceback" not in line for person in everybody for line in person.lines)


def test_telnet_in_a_pipe_talks_too(server: Server) -> None:
    ann = Plain(server.port, "ann")
    tom = telnet(server, terminal=False).comes_in("tom")
    tom.types("from a pipe")
    assert said(ann.sees("from a pipe")) == "tom: from a pipe"
    ann.types("to a pipe")
    tom.sees("ann: to a pipe")


def test_quit_closes_telnet(server: Server) -> None:
    tom = telnet(server).comes_in("tom")
    tom.types("/quit")
    tom.sees("Connection closed by foreign host")
    tom.exits()


def test_one_line_from_a_script_is_delivered_and_answered(server: Server) -> None:
    ann = Plain(server.port, "ann")
    script = run("nc", "-N", "127.0.0.1", str(server.port), said="bot\ndone\n")
    assert script.returncode == 0
    assert "*** Welcome, bot!" in script.stdout
    assert "*** In #lobby: " in script.stdout
    ann.sees("*** bot has left #lobby")
    assert ann.has_seen_last(3) == [
        "*** bot has joined #lobby",
        "bot: done",
        "*** bot has left #lobby",
    ]


def test_the_last_line_of_a_script_needs_no_line_end(server: Server) -> None:
    ann = Plain(server.port, "ann")
    run("nc", "-N", "127.0.0.1", str(server.port), said="bot\ndone")
    assert said(ann.sees("done")) == "bot: done"


def test_a_script_that_does_not_hang_up_stays_and_reads(server: Server) -> None:
    ann = Plain(server.port, "ann")
    bot = netcat(server)
    bot.types("bot", "done")
    bot.ends_input()
    ann.sees("bot: done")
    ann.types("thanks")
    bot.sees("ann: thanks")


def test_a_question_from_a_script_is_answered_before_it_is_closed(server: Server) -> None:
    script = run("nc", "-N", "127.0.0.1", str(server.port), said="bot\n/users\n/time\n")
    assert "*** In #lobby: bot (1)" in script.stdout.replace("\r", "").splitlines()
    assert script.stdout.splitlines()[-1].startswith("*** ")


@pytest.mark.parametrize("mode", ["", "line", "character"])
def test_control_keys_in_telnet_are_answered_and_spoil_no_line(server: Server, mode: str) -> None:
    nell = netcat(server).comes_in("nell")
    needs("telnet")
    in_charge = ("setsid", "--ctty", "--wait")  # of the terminal, whose keys else do nothing
    tom = Typist(*in_charge, "telnet", "127.0.0.1", str(server.port), terminal=True)
    tom.sees("What is your nickname?")
    if mode:
        tom.types("\x1d", end="")
        tom.sees("^]")
        tom.types(f"mode {mode}")
    tom.types("tom")
    tom.sees("*** In #lobby: nell, tom (2)")
    for number, key in enumerate(("\x03", "\x1a")):
        tom.lines.clear()
        tom.types(key, end="")
        tom.sees("*** To leave, type /quit")
        tom.types(f"hello {number}")
        assert said(nell.sees(f"hello {number}")) == f"tom: hello {number}"
    tom.types("\x04", end="")
    nell.sees("*** tom has left #lobby")
    tom.sees_the_end()


def test_busybox_netcat_talks_and_ends_when_the_server_closes(server: Server) -> None:
    ann = Plain(server.port, "ann")
    ben = Typist("busybox", "nc", "127.0.0.1", str(server.port)).comes_in("ben")
    ben.types("grüße from busybox")
    assert said(ann.sees("from busybox")) == "ben: grüße from busybox"
    ann.types("hello ben")
    ben.sees("ann: hello ben")
    ben.types("/quit")
    assert ben.exits() == 0
    ann.sees("*** ben has left #lobby")


def test_one_line_from_busybox_is_delivered_and_answered(server: Server) -> None:
    ann = Plain(server.port, "ann")
    script = run("busybox", "nc", "127.0.0.1", str(server.port), said="bot\ndone\n")
    assert script.returncode == 0
    assert "*** In #lobby: ann, bot (2)" in script.stdout
    assert said(ann.sees("done")) == "bot: done"
