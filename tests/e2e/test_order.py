"""A class kept in order over netcat, and decisions that outlive a killed server."""

from pathlib import Path

import pytest

from tests.e2e.patience import eventually
from tests.e2e.people import Plain, Typist, said
from tests.e2e.server import ROOT, Server

pytestmark = pytest.mark.e2e

SECRET = "correct horse"

KILLED_BY_A_BAN = """
import os
import signal

from twisted_chat.chat.observers import Observers
from twisted_chat.events import Ban

tell = Observers.tell


def tell_or_die(self, entry):
    if isinstance(entry.event, Ban):
        os.kill(os.getpid(), signal.SIGKILL)
    tell(self, entry)


Observers.tell = tell_or_die
"""
"""Run in the server before all else: it dies when a ban is stored and nobody has seen it yet."""


def at_netcat(server: Server, nickname: str) -> Typist:
    return Typist("nc", "127.0.0.1", str(server.port)).comes_in(nickname)


def test_a_ban_holds_that_was_stored_and_told_to_nobody(tmp_path: Path) -> None:
    faults = tmp_path / "faults"
    faults.mkdir()
    (faults / "sitecustomize.py").write_text(KILLED_BY_A_BAN)
    server = Server(tmp_path, before=("env", f"PYTHONPATH={faults}:{ROOT}"))
    try:
        alice, bob = at_netcat(server, "alice"), at_netcat(server, "bob")
        alice.types(f"/register {SECRET}", "/join dev")
        alice.sees("You are in #dev")
        bob.types("/join dev")
        alice.sees("bob has joined #dev")
        alice.types("/ban bob 1h spam")
        eventually(lambda: not server.is_running, "the server dies")
        for person in (alice, bob):
            person.ends_input()  # OpenBSD's netcat waits for that
            person.sees_the_end()
            assert not person.has_seen("banned")
        server = Server(tmp_path)
        again = Typist("nc", "127.0.0.1", str(server.port))
        again.sees("What is your nickname?")
        again.types(f"alice {SECRET}")
        told = said(again.sees("alice banned bob from #dev until"))
        assert told.endswith(": spam")
        again.sees("*** In #dev: alice* (owner) (1)")
        bob = at_netcat(server, "bob")
        bob.types("/join dev")
        assert "by alice: spam" in bob.sees("You are banned from #dev until")
    finally:
        server.kill()


def test_a_class_is_kept_in_order(server: Server) -> None:
    teacher = at_netcat(server, "teacher")
    teacher.types(f"/register {SECRET}", "/join class")
    teacher.sees("teacher is the owner of #class")
    ann, ben, eve = (at_netcat(server, nickname) for nickname in ("ann", "ben", "eve"))
    for pupil, nickname in ((ann, "ann"), (ben, "ben"), (eve, "eve")):
        pupil.types("/join class")
        teacher.sees(f"{nickname} has joined #class")

    teacher.types("/freeze on")
    ann.sees("teacher froze #class")
    eve.types("me! me!")
    eve.sees("!!! #class is frozen, and only operators can speak")
    ben.types("/hand")
    teacher.sees("ben raised a hand in #class")
    ann.types("/hand")
    teacher.sees("ann raised a hand in #class")
    teacher.types("/hands")
    teacher.sees("Raised hands in #class: ben, ann (2)")
    teacher.types("/next")
    ben.sees("teacher gives the word to ben in #class")
    ben.types("is it 42?", "/hand")
    assert said(ann.sees("42")) == "#class ben: is it 42?"
    ann.sees("ben has given back the word")
    ben.types("or 43?")
    ben.sees("!!! #class is frozen")
    teacher.types("/next", "/clear hands", "/freeze off")
    ann.sees("teacher lets everybody in #class speak")

    teacher.types("/mute eve 10m noise")
    eve.sees("teacher muted eve in #class until")
    eve.types("I say what I like")
    eve.sees("!!! You are muted in #class until")
    teacher.types("/kick eve enough")
    eve.sees("You were removed from #class by teacher: enough")
    eve.types("what?")
    eve.sees("!!! You are not in #class any more, so that was not done")
    teacher.types("/ban eve 1h", "/lock sesame")
    teacher.sees("teacher locked #class")
    eve.types("/join class sesame")
    eve.sees("!!! You are banned from #class until")
    ann.types("/leave", "/join class")
    ann.sees("!!! #class is locked with a key")
    ann.types("/join class sesame", "thanks")
    assert said(ben.sees("thanks")) == "#class ann: thanks"
    for text in ("me! me!", "43", "I say", "what?"):
        assert not ben.has_seen(text)
        assert not teacher.has_seen(text)


def test_of_ten_who_register_one_name_at_once_one_has_it(tmp_path: Path) -> None:
    server = Server(tmp_path, "--nameless-per-address", "20")
    try:
        people = [Plain(server.port) for _ in range(10)]
        for person in people:
            person.sees("What is your nickname?")
        for number, person in enumerate(people):
            person.types("alice", f"/register {SECRET} {number}")
        for person in people:
            person.sees("The nickname ")
        (owner,) = (each for each in people if each.has_seen("The nickname alice is yours."))
        owner.types("/quit")
        owner.sees_the_end()
        again = Plain(server.port)
        again.sees("What is your nickname?")
        again.types(f"alice {SECRET} {people.index(owner)}")
        again.sees("*** Welcome, alice!")
    finally:
        server.kill()
