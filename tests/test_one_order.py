"""Several servers on one database show the same events in the same order."""

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from tests.nodes_in_postgres import END, ROOMS, Node, connect
from tests.postgres import engine, why_not

if not why_not():
    from twisted_chat.stores.postgres import engine as writing_engine

GROUP_LOST, ANSWER_LOST, CUT, ENDED = "a group is lost", "an answer is lost", "is cut", "is ended"
LOSSES = (GROUP_LOST, ANSWER_LOST, CUT, ENDED)

doings = st.lists(
    st.tuples(
        st.integers(0, 2),
        st.sampled_from(
            ("says", "joins", "sets", "tells", "hears", "mended", *["goes on"] * 6, *LOSSES)
        ),
        st.sampled_from(ROOMS),
    ),
    max_size=60,
)


class OneOrderTests(SynchronousTestCase):
    skip = why_not() or None

    @settings(max_examples=40, deadline=None)
    @given(doings)
    def test_whatever_they_do_at_once(self, asked: list[tuple[int, str, str]]) -> None:
        self.patch(writing_engine, "check_engine", lambda *_: None)
        self.patch(writing_engine, "connect", connect)
        with engine().lend() as url:
            nodes = [self._node(url, f"n{number}") for number in range(3)]
            try:
                for number, (which, what, room) in enumerate(asked):
                    self._does(nodes[which], what, room, str(number))
                has_lost = any(what in LOSSES for _, what, _ in asked)
                self._check(nodes, has_lost=has_lost)
            finally:
                for node in nodes:
                    node.is_killed()

    def _node(self, url: str, called: str) -> Node:
        node = Node(url, called)
        node.starts()
        return node

    def _does(self, node: Node, what: str, room: str, text: str) -> None:
        if what == "says":
            node.says(room, text)
        elif what == "joins":
            node.joins(room, text)
        elif what == "sets":
            node.nodes.set(f"set/{room}", f"{node.called} {text}" if int(text) % 5 else None)
        elif what == "tells":
            node.nodes.tell(f"say/{room}", text)
        elif what == "hears":
            node.store.hear()
        elif what == GROUP_LOST:
            node.network.loses = "group"
        elif what == ANSWER_LOST:
            node.network.loses = "answer"
        elif what == CUT:
            node.network.is_cut = True
        elif what == "mended":
            node.network.is_cut = False
        elif what == ENDED:
            node.loses_its_connection()
        else:
            node.goes_on()

    def _check(self, nodes: list[Node], *, has_lost: bool) -> None:
        for node in nodes:
            node.network.is_cut, node.network.loses = False, ""
            node.is_done()
        for node in nodes:
            node.says(ROOMS[0], "almost" if node is not nodes[-1] else END)
            node.is_done()
        for node in nodes:
            node.hears_the_end()
        for room in ROOMS:
            stored = [node.readers[room].stored for node in nodes]
            self.assertEqual(stored[0], stored[1])
            self.assertEqual(stored[0], stored[2])
            self.assertEqual([number for _, number in stored[0]], [*range(1, len(stored[0]) + 1)])
            if not has_lost:
                seen = [node.readers[room].seen for node in nodes]
                self.assertEqual(seen[0], seen[1])
                self.assertEqual(seen[0], seen[2])
        for node in nodes[1:]:
            self.assertEqual(node.shared, nodes[0].shared)
            if not has_lost:
                self.assertEqual(node.heard_of, nodes[0].heard_of)
