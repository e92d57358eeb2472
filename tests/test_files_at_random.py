"""Files that are sent, deleted and forgotten in any order: the disk has what is needed."""

import random
from hashlib import sha256
from urllib.parse import quote

from tests.people import Person
from tests.sharing import WHERE, SharingTestCase
from twisted_chat import Limits
from twisted_chat.chat.uploads import LEAST

CONTENTS = [bytes([65 + number]) * (number * 9_000) for number in range(5)]
NAMES = ("a.txt", "b.txt", "ä b.txt")


class RandomFilesTests(SharingTestCase):
    limits = Limits(pace=None)
    keep = 500.0
    seeds = range(4)

    def test_whatever_happens_the_disk_has_what_is_there_and_nothing_else(self) -> None:
        for seed in self.seeds:
            self.chance = random.Random(seed)
            self.live: dict[str, tuple[str, bytes, float]] = {}  # by path: name, content, end
            self.gone: set[str] = set()
            self.bob = self.comes()
            for _ in range(40):
                happens = self.chance.choice(
                    (self.send, self.send, self.send, self.delete, self.wait, self.begin)
                    if self.chance.random() < 0.8
                    else (self.restart, self.crash)
                )
                happens()
                self.time_passes(1)
                self.all_is_well(f"seed {seed}, after {happens.__name__}")
            self.bob.types("/quit")
            self.time_passes(600)
            self.assertEqual(self.on_disk(), [])

    def comes(self) -> Person:
        return self.joins("bob", f"192.0.2.{self.chance.randrange(1, 250)}")

    def send(self) -> None:
        name, content = self.chance.choice(NAMES), self.chance.choice(CONTENTS)
        status, address = self.puts(self.is_offered(self.bob) + quote(name), content)
        self.assertEqual(status, 201, address)
        end = self.clock.seconds() + 500
        self.live[address.removeprefix(WHERE)] = name, content, end

    def begin(self) -> None:
        """An upload that is interrupted, perhaps by a crash."""
        asker = self.begins(self.is_offered(self.bob) + "half", b"x" * 1000, 500)
        if self.chance.random() < 0.5:
            asker.channel.connectionLost()
        else:
            self.crash()

    def delete(self) -> None:
        name = self.chance.choice(NAMES)
        theirs = [path for path, (called, _, _) in self.live.items() if called == name]
        self.bob.types(f"/delete {name}")
        deleted = any(f"deleted {name}" in line for line in self.bob.sees())
        if deleted:
            self.gone.add(theirs[-1])
            del self.live[theirs[-1]]

    def wait(self) -> None:
        self.time_passes(self.chance.choice([10, 100, 300]))

    def restart(self) -> None:
        self.restarts()
        self.bob = self.comes()

    def crash(self) -> None:
        self.chat.rooms["#lobby"].hush()
        self.dies()
        self.files._stop_waiting()
        self.starts()
        self.bob = self.comes()

    def all_is_well(self, when: str) -> None:
        now = self.clock.seconds()
        for path, (_, _, end) in list(self.live.items()):
            if end <= now - 2:
                self.gone.add(path)
                del self.live[path]
        sure = {path: kept for path, kept in self.live.items() if kept[2] > now + 2}
        for path, (_, content, _) in sure.items():
            status, _, body = self.gets(path)
            self.assertEqual((status, body), (200, content), when)
        for path in self.gone:
            self.assertEqual(self.gets(path)[0], 404, when)
        if len(sure) == len(self.live):
            there = {sha256(content).hexdigest(): content for _, content, _ in sure.values()}
            self.assertEqual(self.on_disk(), sorted(there), when)
            taken = sum(max(len(content), LEAST) for content in there.values())
            self.assertEqual(self.files.taken, taken, when)
