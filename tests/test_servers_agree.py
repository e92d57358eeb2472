"""Whatever people do at once at several servers, and whatever happens to these: they agree."""

import random
from collections.abc import Iterable
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.modelled_store import Node
from tests.people import Person, Program, Somebody
from tests.several import SeveralTestCase, store_of
from twisted_chat import ChatFactory, Limits
from twisted_chat.chat.observers import Observer, Observers
from twisted_chat.chat.people import _keys
from twisted_chat.events import Event

NAMES = ("ann", "bob", "cid", "dan", "eve", "fay")
ROOMS = ("#lobby", "#dev", "#tea")
SECRET = "correct horse"

_ONCE_WRONG = (
    *(22, 67, 110, 134, 152, 154, 231, 288, 296, 313, 323, 351, 386, 387, 455),
    *(720, 811, 1138, 1292, 1704, 1806, 1898, 2236, 2306, 2772, 2956, 2983),
)
"""Worlds in which they did not agree once."""

_ONCE_WRONG_WITH_FAULTS = (48, 94, 280, 630, 1597, 1611, 2037, 2468)
"""The same, of those in which connections break."""


class _Witness(Observer):
    """Sees all that happens in the lobby."""

    def __init__(self) -> None:
        self.seen: list[tuple[Event, int]] = []

    def happened(self, event: Event, number: int) -> None:
        """See `Observer.happened`."""
        if event.room == "#lobby":
            self.seen.append((event, number))


def _stored(seen: list[tuple[Event, int]]) -> list[tuple[Event, int]]:
    return [each for each in seen if each[1]]


class _World(SeveralTestCase):
    """People who do anything at any server, while servers hear of each other late."""

    limits = Limits(pace=None, resume_seconds=30.0)
    maxDiff = None

    def begins(self, seed: int) -> None:
        """Nobody is here."""
        self.random = random.Random(seed)
        self.people: list[Somebody] = []
        self.tokens: list[tuple[str, str]] = []
        self.database.is_quick = False
        self.out_of_touch: set[int] = set()
        self.witnesses = {store.number: _Witness() for store in self.stores()}
        for server in self.servers:
            server.chat._observers = Observers([self.witnesses[store_of(server).number]])

    def stores(self) -> list[Node]:
        """Those of the servers."""
        return list(self.database.nodes.values())

    # What happens

    def somebody_comes(self) -> None:
        name = self.random.choice(NAMES)
        server = self.random.choice(self.servers)
        if self.random.random() < 0.5:
            self.people.append(Person(server).types(name))
        else:
            hello: dict[str, Any] = {"password": SECRET} if self.random.random() < 0.3 else {}
            self.people.append(Program(server).asks(do="hello", nick=name, **hello))

    def somebody_does(self) -> None:
        person = self.random.choice(self.people)
        name, room = self.random.choice(NAMES), self.random.choice(ROOMS)
        command = self.random.choice(
            (
                "hello",
                f"/join {room}",
                f"/leave {room}",
                f"/nick {name}",
                f"/whisper {name} psst",
                "/away lunch",
                "/back",
                f"/kick {name}",
                f"/ban {name} 1s",
                f"/ignore {name}",
                "/topic tea",
                "/quit",
                f"/register {SECRET}",
                f"/login {name} {SECRET}",
                "/logout",
                "/devices end all",
                f"/op {name}",
            )
        )
        if isinstance(person, Program):
            if command.startswith("/"):
                person.asks(do="command", text=command)
            else:
                person.asks(do="say", room=room, text=command)
        elif isinstance(person, Person):
            person.types(command)

    def somebody_vanishes(self) -> None:
        person = self.people.pop(self.random.randrange(len(self.people)))
        if isinstance(person, Program):
            self.tokens += [(w["session"], w["nick"]) for w in person.gets("welcome")]
        person.vanishes()

    def somebody_resumes(self) -> None:
        for person in self.people:
            if isinstance(person, Program):
                self.tokens += [(w["session"], w["nick"]) for w in person.gets("welcome")]
        if self.tokens:
            token, nick = self.random.choice(self.tokens)
            server = self.random.choice(self.servers)
            self.people.append(
                Program(server).asks(do="hello", session=token, nick=nick, seen={"#lobby": 0})
            )

    def a_server_hears(self) -> None:
        self.random.choice(self.stores()).hears()

    def a_server_loses_touch(self) -> None:
        store = self.random.choice(self.stores())
        self.out_of_touch.add(store.number)
        store.loses_touch()

    def all_hear(self) -> None:
        self.database.all_hear()

    def time_goes_by(self) -> None:
        self.clock.advance(self.random.choice((0, 0.6, 2, 31)))

    def a_server_starts(self) -> None:
        if len(self.servers) < 4:
            self.servers.append(self.starts())

    def a_server_dies(self) -> None:
        if len(self.servers) > 1:
            server = self.random.randrange(len(self.servers))
            gone = self.servers[server]
            self.people = [each for each in self.people if each._factory is not gone]
            self.dies(server)

    def step(self) -> None:
        """Something happens."""
        happens = [
            *[self.somebody_comes] * 3,
            *[self.somebody_does] * 12,
            *[self.a_server_hears] * 12,
            *[self.time_goes_by] * 2,
            self.all_hear,
            self.somebody_vanishes,
            *[self.somebody_resumes] * 2,
        ]
        if self.random.random() < 0.02:
            happens = [self.a_server_starts, self.a_server_dies, self.a_server_loses_touch]
        what = self.random.choice(happens)
        if self.people or what not in (self.somebody_does, self.somebody_vanishes):
            what()

    # What is so in the end

    def settles(self) -> None:
        """All servers hear of everything, and all who have come too often are told of."""
        waits = 6
        for _ in range(40):
            if self._is_anybody_held_back():
                waits = max(waits, 3)
            if waits:
                waits -= 1
                self._settles()

    def _settles(self) -> None:
        self.database.finds_out_who_is_gone()
        self.database.all_hear()
        self.clock.advance(2)

    def _is_anybody_held_back(self) -> bool:
        rooms = [room for server in self.servers for room in server.chat.rooms.values()]
        return any(room._presence._coming for room in rooms)

    def view(self, server: ChatFactory) -> dict[str, Any]:
        """Who is here, as a server has it."""
        chat, own = server.chat, store_of(server).number
        everybody = [*chat.people, *chat.people.displaced]
        return {
            "people": {
                each.id: (
                    *(each.nickname, each.displaced, each.account, each.away),
                    sorted(each.rooms),
                    sorted((d.id, d.node or own, d.is_connected) for d in each.devices.values()),
                    sorted(each.ignored),
                )
                for each in everybody
            },
            "members": {
                key: sorted(room.members) for key, room in chat.rooms.items() if room.members
            },
            "shown": {
                key: {one: shown.nickname for one, shown in room.shown.items()}
                for key, room in chat.rooms.items()
                if room.shown
            },
            "accounts": {each.id: each.name for each in chat.accounts},
            "topics": {key: room.topic for key, room in chat.rooms.items() if room.members},
        }

    def assert_they_agree(self) -> None:
        """All servers have the same people, in the same rooms, under the same nicknames."""
        first, *others = map(self.view, self.servers)
        for other in others:
            for part, there in first.items():
                self.assertEqual(there, other[part], part)
        self._assert_all_saw_the_same()
        chat = self.servers[0].chat
        here = list(chat.people)
        self.assertEqual(
            {key: each.id for each in here for key in _keys(each.nickname)}, self.database.claims
        )
        everybody = [*here, *chat.people.displaced]
        self.assertEqual(
            {f"{kind}/{each.id}" for each in everybody for kind in ("person", "name")}
            | {f"device/{device}" for each in everybody for device in each.devices}
            | {f"in/{each.id}/{room}" for each in everybody for room in each.rooms},
            set(self.database.shared),
        )
        for each in here:
            for key in each.rooms:
                if not each.is_quiet:
                    self.assertIn(each.id, chat.rooms[key].shown, f"{each.id} in {key}")
        for key, room in chat.rooms.items():
            self.assertLessEqual(set(room.shown), set(room.members), key)
        connected = sum(
            any(d.connection is not None for d in each.devices.values())
            for server in self.servers
            for each in server.chat.people
        )
        self.assertEqual(
            connected > 0, any(not each.is_gone for each in self.people) and connected > 0
        )

    def _assert_all_saw_the_same(self) -> None:
        """In the same order; who was out of touch has missed only what is not stored."""
        seen = {number: each.seen for number, each in self.witnesses.items()}
        alive = [seen[each.number] for each in self.stores() if each.number in seen]
        for other in alive[1:]:
            self.assertEqual(_stored(alive[0]), _stored(other))
        in_touch = [number for number in seen if number not in self.out_of_touch]
        alive = [seen[each.number] for each in self.stores() if each.number in in_touch]
        for other in alive[1:]:
            self.assertEqual(alive[0], other)


class _FaultyWorld(_World):
    """The same, where connections to the database break or stand still, some for too long."""

    def begins(self, seed: int) -> None:
        """See `_World.begins`."""
        super().begins(seed)
        self.cut_off: list[ChatFactory] = []  # others look after their people

    def somebody_comes(self) -> None:
        """See `_World`: also to a server that is cut off, and does not know it."""
        servers = self.servers
        self.servers = [*servers, *self.cut_off]
        super().somebody_comes()
        self.servers = servers

    def a_connection_breaks(self) -> None:
        self.random.choice(self.stores()).breaks(is_stored=self.random.random() < 0.5)

    def a_connection_stands_still(self) -> None:
        self.random.choice(self.stores()).stands_still()

    def a_lease_is_over(self) -> None:
        still = [each for each in self.servers if store_of(each).is_away]
        if still and len(self.servers) > 1:
            gone = self.random.choice(still)
            self.servers.remove(gone)
            self.cut_off.append(gone)
            self.database.buries(store_of(gone))

    def a_connection_comes_back(self) -> None:
        self._comes_back(self.random.choice([*self.servers, *self.cut_off]))

    def _comes_back(self, server: ChatFactory) -> None:
        store = store_of(server)
        here = {each for person in server.chat.people for each in person.connections}
        self.out_of_touch.add(store.number)
        store.goes_on()
        store.connects()
        if server in self.cut_off:
            self.cut_off.remove(server)
            self.clock.advance(5)
            theirs = [each for each in self.people if each._factory is server]
            self.people = [each for each in self.people if each._factory is not server]
            for each in theirs:
                self.assertTrue(each.is_gone or each.protocol._session not in here)

    def step(self) -> None:
        """See `_World.step`."""
        faults = [
            self.a_connection_breaks,
            self.a_connection_stands_still,
            self.a_lease_is_over,
            *[self.a_connection_comes_back] * 3,
        ]
        if self.random.random() < 0.1:
            self.random.choice(faults)()
        else:
            super().step()

    def settles(self) -> None:
        """See `_World.settles`: all connections come back before."""
        for server in [*self.servers, *self.cut_off]:
            self._comes_back(server)
        super().settles()


class AgreementTests(SynchronousTestCase):
    """Many short worlds."""

    def agree(self, world: type[_World], seeds: Iterable[int]) -> None:
        """Whatever happened, the servers agree in the end."""
        for seed in seeds:
            with self.subTest(seed=seed):
                servers = world("setUp")
                servers.setUp()
                servers.begins(seed)
                for _ in range(120):
                    servers.step()
                servers.settles()
                servers.assert_they_agree()

    def test_they_agree_in_the_end(self) -> None:
        self.agree(_World, (*range(20), *_ONCE_WRONG))

    def test_they_agree_though_their_connections_break_and_stand_still(self) -> None:
        self.agree(_FaultyWorld, (*range(20), *_ONCE_WRONG_WITH_FAULTS))
