"""docs/protocol.md says what goes over a connection: all of it, and nothing else."""

import ast
import json
import re
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any, ClassVar

from tests.browsers import Asker
from tests.disk import DiskTestCase
from tests.pages import ROOT, page
from tests.people import Program
from tests.sharing import put
from twisted_chat.events.codec import NAMED, Kept

PAGE = "docs/protocol.md"
PACKAGE = ROOT / "twisted_chat"


class Section:
    """What the page says of some kinds of objects, under one heading.

    Args:
        heading: names the kinds.
        text: what follows it.
    """

    def __init__(self, heading: str, text: str) -> None:
        self.kinds = re.findall(r"`(\w+)`", heading)
        rows = re.findall(r"^\| `([^`]+)` \| ([^|]+) \|", text, re.MULTILINE)
        self.keys = dict(rows)
        blocks = re.findall(r"^```json\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
        self.examples = [json.loads(line) for block in blocks for line in block.splitlines()]

    @property
    def always(self) -> set[str]:
        """The keys that are always there."""
        return {key for key, when in self.keys.items() if when == "always"}


def sections(title: str) -> list[Section]:
    """What stands under a heading, by the headings below that."""
    (text,) = re.findall(rf"^## {title}\n(.*?)(?=^## |\Z)", page(PAGE), re.DOTALL | re.MULTILINE)
    parts = re.split(r"^### (.*)\n", text, flags=re.MULTILINE)
    return [Section(*each) for each in zip(parts[1::2], parts[2::2], strict=True)]


def shape(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """The keys of an object and the types of their values; those inside it behind a dot."""
    if path:
        yield path, "object" if isinstance(value, dict) else type(value).__name__
    if path in ("events", "read"):  # which are objects of their own, or have rooms for keys
        return
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from shape(inner, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for inner in value:
            yield from shape(inner, f"{path}[]")


def is_key(path: str) -> bool:
    """Whether this is a key of an object, and not an element of a list."""
    return not path.endswith("[]")


class Shapes:
    """What objects of one kind look like."""

    def __init__(self) -> None:
        self.types: dict[str, set[str]] = defaultdict(set)
        self._counts: Counter[str] = Counter()

    def add(self, thing: dict[str, Any]) -> None:
        """Another object of that kind."""
        self._counts[""] += 1
        for path, kind in shape(thing):
            self.types[path].add(kind)
            self._counts[path] += 1

    @property
    def keys(self) -> set[str]:
        """The keys that there are."""
        return set(filter(is_key, self.types))

    @property
    def always(self) -> set[str]:
        """The keys that are there whenever the object is of which they are."""
        parents = {key: key.rpartition(".")[0] for key in self.keys}
        return {key for key, within in parents.items() if self._counts[key] == self._counts[within]}


class Asked(dict[str, Any]):
    """An object that notes for what keys it is asked."""

    keys_of: ClassVar[dict[str, set[str]]] = defaultdict(set)
    """By what the objects were there to do."""

    def _note(self, key: object) -> None:
        do = super().get("do")
        if isinstance(do, str) and isinstance(key, str):
            self.keys_of[do].add(key)

    def get(self, key: str, default: Any = None) -> Any:
        self._note(key)
        return super().get(key, default)

    def __getitem__(self, key: str) -> Any:
        self._note(key)
        return super().__getitem__(key)

    def __contains__(self, key: object) -> bool:
        self._note(key)
        return super().__contains__(key)


class EverythingTestCase(DiskTestCase):
    """A chat in which everything happens that can."""

    def setUp(self) -> None:
        super().setUp()
        self.sent: dict[str, Shapes] = defaultdict(Shapes)
        Asked.keys_of.clear()
        loads = json.loads
        self.patch(json, "loads", lambda text: loads(text, object_hook=Asked))
        self.factory.chat.motd = ("Be kind.",)

    def does(self, program: Program, *things: dict[str, Any]) -> None:
        """Have a program send objects."""
        for thing in things:
            program.asks(**thing)
            self.the_disk_works()
            self.time_passes(1)  # or it would be too fast

    def commands(self, program: Program, *texts: str) -> None:
        """Have a program do commands, each under a name of its own."""
        self.does(program, *({"do": "command", "text": text, "ref": text[:20]} for text in texts))

    def reads(self, *programs: Program) -> dict[str, Any]:
        """Have programs read what was sent to them; gives the first object."""
        things = [thing for program in programs for thing in program.gets()]
        for thing in things:
            for each in (thing, *thing.get("events", ())):
                self.sent[each["event"]].add(dict(each))
        return things[0]

    def everything_happens(self) -> None:
        """See that every kind of object is sent that there is."""
        ann, eve = self.program("ann"), self.program("eve")
        self.the_disk_works()
        welcome = self.reads(ann)
        self.factory.chat.addresses = ("a.example:5000", "https://a.example")
        dan = self.program("dan")
        self.commands(dan, "/register correct horse", "/me waves", "/topic milk", "/away")
        self.commands(eve, "/join cups")
        self.commands(dan, "/join cups", "/leave #cups", "/whisper eve psst", "/nick dana")
        self.commands(eve, "/leave #cups")
        self.does(dan, {"do": "say", "text": "hello"})
        for program in (ann, eve):
            self.does(program, {"do": "say", "text": "hello", "ref": "s"}, {"do": "ping"})
            self.commands(program, "/me waves", "/topic tea", "/away at lunch", "/users")
            self.commands(program, f"/nick {'anna' if program is ann else 'eva'}")
        self.commands(ann, "/whisper eva psst", "/topic", "/whisper nobody psst")
        self.commands(eve, "/whisper anna psst")
        self.does(
            ann,
            {"do": "say", "room": "#lobby", "text": "hello", "ref": "s"},
            {"do": "command", "text": "/time", "room": "#lobby", "existing": True},
            {"do": "ping", "ref": "p"},
            {"do": "history", "room": "#lobby", "before": 3, "limit": 2, "ref": "h"},
            {"do": "history", "after": 1},
            {"do": "history", "room": "@"},
            {"do": "dance"},
        )
        self.commands(ann, "/ignore eva")
        self.does(eve, {"do": "say", "text": "ignored"})
        self.does(ann, {"do": "history"})
        self.files_are_sent(ann, dan)
        self.does(ann, {"do": "history"})
        self.reads(ann, eve, dan)
        anna = self.factory.chat.people.find("anna")
        anna.account = anna.id
        self.a_room_is_kept_in_order(ann, eve, "tea")
        self.a_room_is_kept_in_order(dan, eve, "cocoa")
        phone = self.program("dan", password="correct horse")
        self.the_disk_works()
        self.does(dan, {"do": "read", "room": "#lobby", "id": 3, "ref": "r"})
        self.commands(phone, "/quit")
        self.reads(phone)
        self.commands(dan, "/quit")
        self.the_connection_is_lost(ann, eve, welcome)
        self.the_disk_fails(eve)

    def a_room_is_kept_in_order(self, ann: Program, eve: Program, room: str) -> None:
        """Ann owns a room, and decides everything there with and without a reason and an end."""
        self.commands(ann, f"/join {room}")
        self.commands(eve, f"/join {room}")
        both = ("/kick eva", "/mute eva", "/mute eva 1h noise", "/ban fay 1h spam", "/ban fay2")
        once = ("/op eva", "/deop eva", "/unmute eva", "/unban fay", "/invite fay", "/lock")
        self.commands(ann, *once[:2], *both[1:3])
        self.does(eve, {"do": "say", "text": "hello", "room": f"#{room}", "ref": "m"})
        fay = self.program("fay")
        self.the_disk_works()
        self.commands(fay, f"/join #{room}", f"/leave #{room}")  # who sees that eva is muted
        self.commands(ann, *once[2:3], *both[3:], *once[3:], both[0])
        self.commands(ann, "/unlock", "/hand", "/next")
        self.commands(eve, f"/join #{room}", "/join #lobby")
        self.commands(ann, "/kick eva noise")
        self.commands(eve, f"/join #{room.upper()}", "/join #Lobby")
        self.commands(ann, "/close enough")
        self.does(ann, {"do": "history", "room": f"#{room}", "limit": 100})
        self.commands(fay, "/quit")
        self.commands(ann, f"/leave {room}", "/join #lobby")
        fay.closes()
        self.reads(ann, eve, fay)

    def files_are_sent(self, ann: Program, dan: Program) -> None:
        """One has an account and one has not, one file ends and one does not, and one goes."""
        files, web = self.factory.chat.files, self.factory.web({})
        assert files is not None
        for program, files.keep in ((ann, None), (dan, 3600.0)):
            offer = files.uploads.offer(self.person_of(program), "#lobby", "")
            offered = files.uploads.address_of(offer)
            path = offered.removeprefix("http://chat.example")
            Asker(web).sends(put(path + "cat.png", b"x"))
            self.the_disk_works()
        self.commands(ann, "/upload")
        for program in (dan, ann):
            self.commands(program, "/delete cat.png")
        self.factory.chat.files = None
        other = self.program("other")
        self.the_disk_works()
        self.commands(other, "/quit")
        self.reads(other)
        self.factory.chat.files = files

    def person_of(self, program: Program) -> str:
        """The id of who uses a program."""
        session = program.protocol._session
        assert session is not None
        return session.person.id

    def the_connection_is_lost(self, ann: Program, eve: Program, welcome: dict[str, Any]) -> None:
        """People come and go, and one of them comes back."""
        ann.vanishes()
        self.the_disk_works()
        self.commands(eve, "/whisper anna psst", "/join dev")
        token = welcome["session"]
        again = self.program("ann", session=token, seen={"#lobby": 0, "@": 0}, epoch="old")
        self.the_disk_works()
        self.commands(again, "/unignore eva")
        self.reads(again)
        again.vanishes()
        new = self.program("bob", seen={"#lobby": 0})
        again = self.program("ann", session=token, seen={"#lobby": 0, "@": 0})
        self.the_disk_works()
        self.commands(new, "/join dev", "/leave", "/quit bye")
        for line in ("one", "two", "three", "four", "five", "six") * 10:
            eve.asks(do="say", text=line)
        self.the_disk_works()
        self.reads(new, again, eve)
        self.time_passes(60)
        again.closes()
        self.the_disk_works()
        self.reads(eve)

    def the_disk_fails(self, eve: Program) -> None:
        """What was said cannot be read for a while, and the server stops."""
        self.the_server_is_killed()
        eve = self.program("eve")
        self.reading.is_full = True
        self.commands(eve, "/join dev")
        self.flushLoggedErrors(sqlite3.OperationalError)
        self.factory.say_goodbye()
        self.the_disk_works()
        self.reads(eve)


class EventTests(EverythingTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.everything_happens()
        self.sections = sections("What you get")

    def test_every_kind_is_on_the_page(self) -> None:
        written = {kind for section in self.sections for kind in section.kinds}
        self.assertEqual(written, set(self.sent))
        told = {name for name, kind in NAMED.items() if kind.kept is not Kept.IN_THE_SERVERS_LOG}
        self.assertEqual(told - written, set())

    def test_every_key_is_on_the_page_and_when_it_is_there(self) -> None:
        for section in self.sections:
            for kind in section.kinds:
                self.assertEqual(section.keys.keys(), self.sent[kind].keys, kind)
                self.assertEqual(section.always, self.sent[kind].always, kind)

    def test_every_key_that_the_program_may_write_is_on_the_page(self) -> None:
        known = {key.rpartition(".")[2] for each in self.sections for key in each.keys}
        folders = (PACKAGE / "wire", PACKAGE / "sessions")
        sources = [path.read_text() for folder in folders for path in folder.glob("*.py")]
        for source in (each for each in sources if '"event"' in each):
            tree = ast.parse(source)
            written = {key for node in ast.walk(tree) for key in keys_written(node)}
            self.assertEqual(written - known - {"seen"}, set())

    def test_the_examples_are_what_the_program_sends(self) -> None:
        for section in self.sections:
            self.assertEqual({each["event"] for each in section.examples}, set(section.kinds))
            for example in section.examples:
                real, shown = self.sent[example["event"]], Shapes()
                shown.add(example)
                for path, kinds in shown.types.items():
                    self.assertEqual(kinds - real.types[path], set(), f"{path} of {example}")
                lacking = {key for key in real.always if "." not in key} - shown.keys
                self.assertEqual(lacking, set(), str(example))
                for key in real.always - shown.keys:  # inside another object
                    self.assertNotIn(key.rpartition(".")[0], shown.types, f"{key} of {example}")


def keys_written(node: ast.AST) -> Iterator[str]:
    """The texts that are keys in an expression that makes an object, or puts something into it."""
    keys: list[ast.expr | None] = []
    if isinstance(node, ast.Dict):
        keys = list(node.keys)
    elif isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store):
        keys = [node.slice]
    for key in keys:
        value = key.value if isinstance(key, ast.Constant) else None
        if isinstance(value, str) and value.isidentifier() and value not in REQUESTS:
            yield value


REQUESTS = ("hello", "say", "command", "history", "read", "ping")


class RequestTests(EverythingTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.sections = sections("What you send")

    def test_every_request_is_on_the_page_with_every_key_that_it_may_have(self) -> None:
        self.everything_happens()
        written = {kind: set(each.keys) for each in self.sections for kind in each.kinds}
        asked = {do: keys for do, keys in Asked.keys_of.items() if do != "dance"}
        self.assertEqual(written, asked)

    def test_there_are_no_other_requests(self) -> None:
        bob = self.program("bob").asks(do="dance")
        self.the_disk_works()
        (refused,) = bob.gets("error")
        for request in REQUESTS:
            self.assertIn(request, refused["text"])
        self.assertEqual({kind for each in self.sections for kind in each.kinds}, set(REQUESTS))
        self.assertEqual(refused["text"].count(","), len(REQUESTS) - 1)

    def test_the_examples_are_understood_and_what_is_always_there_is_needed(self) -> None:
        dana = self.program("dana")
        self.commands(dana, "/register correct horse", "/quit")
        for section in self.sections:
            self.assertTrue(section.examples, section.kinds)
            for example in section.examples:
                self.assertEqual(example.keys() - section.keys.keys(), set(), str(example))
                self.assertEqual(self.is_refused(example), [], str(example))
                for key in section.always:
                    lacking = {name: example[name] for name in example if name != key}
                    self.assertNotEqual(self.is_refused(lacking), [], f"{example} without {key}")

    def is_refused(self, thing: dict[str, Any]) -> list[str]:
        """The codes of the errors that a request comes to."""
        program = Program(self.factory)
        if thing.get("do") != "hello":
            program.asks(do="hello", nick="zoe")
            self.does(program, {"do": "command", "text": "/join #dev"})
        self.does(program, thing)
        errors = [each["code"] for each in program.gets("error")]
        self.commands(program, "/quit")
        program.closes()
        self.the_disk_works()
        return errors


class CodeTests(DiskTestCase):
    def test_every_code_of_an_error_is_on_the_page_with_what_it_means(self) -> None:
        (text,) = re.findall(r"^## Codes of errors\n(.*?)(?=^## |\Z)", page(PAGE), re.DOTALL | re.M)
        rows = re.findall(r"^\| `([a-z0-9-]+)` \| (\S.*?) \|$", text, re.MULTILINE)
        self.assertEqual(sorted(code for code, _ in rows), sorted(codes()))


def codes() -> set[str]:
    """The codes with which the program refuses anything; each stands where that is done."""
    found = set()
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "Refused":
                code = node.args[0]
                if isinstance(code, ast.Constant):
                    found.add(str(code.value))
                else:  # the client passes on what the server has said
                    assert "client" in path.parts, f"{path}: which code is {ast.unparse(code)}?"
    return found
