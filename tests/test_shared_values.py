"""Whatever is set at once at several servers: in the end all have the same values."""

from collections import deque
from collections.abc import Mapping, Sequence

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from twisted_chat.chat.shared_values import Settled, SharedValues
from twisted_chat.stores.nodes import Hearer, Value

NAMES = ("person/ann", "name/ann", "device/phone")


class Server:
    """One of several servers, which hears of what is set when `hears` is called; see `Nodes`."""

    def __init__(self, number: int, everybody: "list[Server]") -> None:
        self.number = number
        self.values = SharedValues()
        self.values.nodes = self
        self.news: deque[tuple[int, str, Value]] = deque()
        self.settled: list[str] = []
        self._everybody = everybody

    def set(self, name: str, value: Value) -> None:
        """See `Nodes.set`."""
        for server in self._everybody:
            server.news.append((self.number, name, value))

    def hears(self) -> None:
        """Hear of what comes next, if there is anything."""
        if self.news:
            heard = self.values.hear(*self.news.popleft())
            if isinstance(heard, Settled):
                self.settled.append(heard.name)

    def join(self, hearer: Hearer) -> Deferred[Mapping[str, Value] | None]:
        """See `Nodes.join`."""
        raise NotImplementedError

    def tell(self, name: str, value: Value) -> None:
        """See `Nodes.tell`."""
        raise NotImplementedError

    def claim(self, holder: str, keys: Sequence[str], instead_of: str = "") -> Deferred[None]:
        """See `Nodes.claim`."""
        raise NotImplementedError

    def take(self, client: str) -> Deferred[int]:
        """See `Nodes.take`."""
        raise NotImplementedError

    def inherit(self, node: int, kept: Mapping[str, Sequence[str]]) -> None:
        """See `Nodes.inherit`."""
        raise NotImplementedError

    def release(self, holder: str, keys: Sequence[str]) -> None:
        """See `Nodes.release`."""
        raise NotImplementedError


steps = st.lists(
    st.tuples(
        st.integers(0, 2),
        st.sampled_from(("sets", "ends", "moves", "hears", "hears", "hears")),
        st.sampled_from(NAMES),
    ),
    max_size=80,
)


class AgreementTests(SynchronousTestCase):
    def servers(self) -> list[Server]:
        """Three of them."""
        everybody: list[Server] = []
        everybody += [Server(number, everybody) for number in (1, 2, 3)]
        return everybody

    @given(steps)
    @settings(max_examples=200, deadline=None)
    def test_all_have_the_same_in_the_end(self, asked: list[tuple[int, str, str]]) -> None:
        everybody = self.servers()
        for count, (which, what, name) in enumerate(asked):
            server = everybody[which]
            if what == "hears":
                server.hears()
            elif name.startswith("device/"):
                known = server.values.get(name) or {"node": server.number, "taken": 0}
                is_here = known["node"] == server.number
                value = {
                    "person": "ann",
                    "node": server.number,
                    "taken": known["taken"] if is_here else count,
                    "n": count,
                }
                server.values.set(name, value, "ann")
            else:
                server.values.set(name, None if what == "ends" else {"n": count}, "ann")
        while any(server.news for server in everybody):
            for server in everybody:
                server.hears()
        for name in NAMES:
            first, *others = [server.values.get(name) for server in everybody]
            self.assertEqual(others, [first, first], name)

    def test_what_is_set_is_settled_once_all_know_it(self) -> None:
        first, second, _ = self.servers()
        first.values.set("name/ann", {"nickname": "ann"}, "ann")
        first.values.set("name/ann", {"nickname": "anna"}, "ann")
        first.hears()
        self.assertEqual(first.settled, [])
        first.hears()
        self.assertEqual(first.settled, ["name/ann"])
        second.hears()
        self.assertEqual(second.values.get("name/ann"), {"nickname": "ann"})

    def test_a_server_that_does_not_know_that_a_device_has_moved_does_not_get_it_back(self) -> None:
        old, new, _ = self.servers()
        at_old = {"person": "ann", "node": 1, "taken": 0, "room": "#lobby"}
        old.values.set("device/phone", at_old, "ann")
        new.hears()
        new.values.set("device/phone", at_old | {"node": 2, "taken": 1}, "ann")
        old.values.set("device/phone", at_old | {"room": "#dev"}, "ann")
        while old.news or new.news:
            old.hears()
            new.hears()
        self.assertEqual(old.values.get("device/phone")["node"], 2)
        self.assertEqual(new.values.get("device/phone")["node"], 2)

    def test_nor_if_the_new_one_is_gone_before_it_hears_of_that(self) -> None:
        old, gone, heir = self.servers()
        at_old = {"person": "ann", "node": 1, "taken": 0, "room": "#lobby"}
        old.values.set("device/phone", at_old, "ann")
        gone.hears()
        gone.values.set("device/phone", at_old | {"node": 2, "taken": 1}, "ann")
        old.values.set("device/phone", at_old | {"room": "#dev"}, "ann")
        while old.news or heir.news:
            old.hears()
            heir.hears()
        self.assertEqual(old.values.get("device/phone")["node"], 2)
        self.assertEqual(heir.values.get("device/phone")["node"], 2)
