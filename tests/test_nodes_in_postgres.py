"""Several servers on one PostgreSQL: who has which name, who is there, and what each misses."""

from typing import Any
from unittest import SkipTest

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from tests.nodes_in_postgres import END, ROOMS, Node, Reader, connect
from tests.postgres import engine, why_not
from twisted_chat.events import OWN, Entry, Join, Message, Rename, Whisper
from twisted_chat.refusal import Refused
from twisted_chat.stores.nodes import Taken

if not why_not():
    from twisted_chat.stores.postgres import engine as writing_engine

TEA = ROOMS[0]


class NodesTestCase(SynchronousTestCase):
    """An empty database, and servers that start on it."""

    def setUp(self) -> None:
        """An empty database."""
        if why_not():
            raise SkipTest(why_not())
        self.patch(writing_engine, "check_engine", lambda *_: None)
        self.patch(writing_engine, "connect", connect)
        self.url = self.enterContext(engine().lend())

    def node(self, called: str = "one") -> Node:
        """A server that was just started, and has not joined the others."""
        node = Node(self.url, called)
        self.addCleanup(node.is_killed)
        return node

    def started(self, *names: str) -> list[Node]:
        """Servers that have joined."""
        nodes = [self.node(called) for called in names]
        for node in nodes:
            node.starts()
        return nodes

    def does(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """Somebody does something in the database."""
        with engine().connect(self.url) as look:
            cursor = look.execute(statement.encode(), values)
            return cursor.fetchall() if cursor.description else []

    def outcome(self, node: Node, asked: Deferred[Any]) -> Any:
        """What came of something: None, or why it was refused."""
        found: list[Any] = []
        asked.addBoth(found.append)
        node.is_done()
        (what,) = found
        return what.value if isinstance(what, Failure) else what

    def lease_is_over(self, node: Node) -> None:
        """Nothing was heard of a server for more than its lease."""
        self.does("UPDATE nodes SET until = now() - interval '1 s' WHERE node = %s", node.number)

    def was_there_long(self, node: Node) -> None:
        """A server has had its lease for a long time without a break."""
        self.does("UPDATE nodes SET since = now() - interval '1 day' WHERE node = %s", node.number)


class JoiningTests(NodesTestCase):
    def test_the_first_server_is_alone(self) -> None:
        self.assertIsNone(self.node().starts())

    def test_the_second_is_not_and_is_told_what_is_set(self) -> None:
        (one,) = self.started("one")
        one.nodes.set("person/ann", {"nickname": "ann"})
        one.nodes.tell("typing", True)
        one.is_done()
        self.assertEqual(self.node("two").starts(), {"person/ann": {"nickname": "ann"}})

    def test_of_two_that_start_at_once_not_both_are_alone(self) -> None:
        one, two = self.node("one"), self.node("two")
        self.assertEqual([one.starts(), two.starts()], [{}, {}])

    def test_what_servers_had_set_that_all_ended_in_good_order_is_gone(self) -> None:
        (one,) = self.started("one")
        one.nodes.set("person/ann", 1)
        self.assertIsNone(self.outcome(one, one.nodes.claim("ann", ["n/ann"])))
        one.stops()
        two = self.node("two")
        self.assertIsNone(two.starts())
        self.assertIsNone(self.outcome(two, two.nodes.claim("bob", ["n/ann"])))

    def test_a_server_that_was_killed_counts_as_there_until_its_lease_is_over(self) -> None:
        (one,) = self.started("one")
        one.nodes.set("person/ann", 1)
        one.is_done()
        one.is_killed()
        two = self.node("two")
        self.assertEqual(two.starts(), {"person/ann": 1})
        self.lease_is_over(one)
        self.was_there_long(two)
        two.beats()
        self.assertEqual(two.lost, [(one.number, two.number)])

    def test_what_is_set_while_another_joins_is_told_or_heard(self) -> None:
        (one,) = self.started("one")
        two = self.node("two")
        one.nodes.set("person/ann", 1)
        one.is_done()
        self.assertEqual(two.starts(), {"person/ann": 1})
        self.assertEqual(two.heard_of, [])
        one.nodes.set("person/ann", None)
        one.is_done()
        two.hears_until(lambda: bool(two.heard_of))
        self.assertEqual(two.heard_of, [(one.number, "person/ann", None)])


class ClaimTests(NodesTestCase):
    def test_of_ten_who_want_a_name_at_once_one_gets_it(self) -> None:
        nodes = self.started(*"abcde")
        asked = [
            node.nodes.claim(f"{node.called}{n}", ["n/zoë", "s/zoe"])
            for n in range(2)
            for node in nodes
        ]
        found: list[Any] = []
        for each in asked:
            each.addBoth(found.append)
        for node in nodes:
            node.is_done()
        refused = [each.value for each in found if isinstance(each, Failure)]
        self.assertEqual((len(found), len(refused)), (10, 9))
        self.assertEqual([getattr(why, "key", why) for why in refused], 9 * ["n/zoë"])

    def test_all_keys_are_claimed_or_none(self) -> None:
        one, two = self.started("one", "two")
        self.assertIsNone(self.outcome(one, one.nodes.claim("ann", ["b"])))
        self.assertEqual(self.outcome(two, two.nodes.claim("bob", ["c", "b", "a"])).key, "b")
        self.assertIsNone(self.outcome(two, two.nodes.claim("cleo", ["a", "c"])))

    def test_what_somebody_has_already_they_may_claim_again(self) -> None:
        one, two = self.started("one", "two")
        for node in (one, two):
            self.assertIsNone(self.outcome(node, node.nodes.claim("ann", ["a", "b", "a"])))

    def test_a_name_is_free_when_its_holder_needs_it_no_more(self) -> None:
        one, two = self.started("one", "two")
        one.nodes.claim("ann", ["a"])
        two.nodes.release("bob", ["a"])  # it is not his
        two.is_done()
        one.is_done()
        self.assertIsInstance(self.outcome(two, two.nodes.claim("bob", ["a"])), Taken)
        one.nodes.release("ann", ["a"])
        one.is_done()
        self.assertIsNone(self.outcome(two, two.nodes.claim("bob", ["a"])))

    def test_a_name_is_taken_from_the_one_who_is_named(self) -> None:
        one, two = self.started("one", "two")
        one.nodes.claim("ann", ["a"])
        one.is_done()
        self.assertIsInstance(self.outcome(two, two.nodes.claim("bob", ["a"], "cleo")), Taken)
        self.assertIsNone(self.outcome(two, two.nodes.claim("bob", ["a"], "ann")))
        self.assertIsInstance(self.outcome(one, one.nodes.claim("ann", ["a"])), Taken)

    def test_while_the_database_is_away_nothing_can_be_claimed(self) -> None:
        (one,) = self.started("one")
        one.network.is_cut = True
        one.says(TEA, "in doubt")
        one.is_done()
        why = self.outcome(one, one.nodes.claim("ann", ["a"]))
        self.assertIsInstance(why, Refused)
        self.assertEqual(why.code, "not-stored")
        self.assertIn("the database is away", why.text)

    def test_a_name_that_its_holder_has_claimed_at_another_server_since_stays_theirs(self) -> None:
        one, two = self.started("one", "two")
        for node in (one, two):
            self.assertIsNone(self.outcome(node, node.nodes.claim("ann", ["a"])))
        one.nodes.release("ann", ["a"])
        one.is_done()
        self.assertIsInstance(self.outcome(one, one.nodes.claim("bob", ["a"])), Taken)

    def test_the_heir_has_the_names_that_are_needed_and_the_others_are_free(self) -> None:
        one, two = self.started("one", "two")
        one.nodes.claim("ann", ["a", "b"])
        one.is_done()
        one.stops()
        two.nodes.inherit(one.number, {"ann": ["b"], "cleo": ["c"]})
        bob, dan = two.nodes.claim("bob", ["a"]), two.nodes.claim("dan", ["c"])
        self.assertIsNone(self.outcome(two, bob))
        self.assertIsInstance(self.outcome(two, dan), Taken)
        two.nodes.release("ann", ["b"])
        self.assertIsNone(self.outcome(two, two.nodes.claim("eve", ["b"])))

    def test_until_somebody_has_inherited_a_servers_names_it_is_told_that_it_is_gone(self) -> None:
        one, two, three = self.started("one", "two", "three")
        one.nodes.claim("ann", ["a"])
        one.is_done()
        one.stops()
        two.hears_until(lambda: bool(two.lost))
        two.stops()
        three.hears_until(lambda: len(three.lost) > 1)
        self.was_there_long(three)
        three.beats()
        self.assertEqual(three.lost[-1], (one.number, three.number))
        three.nodes.inherit(one.number, {})
        heard = len(three.lost)
        three.beats()
        self.assertEqual(len(three.lost), heard)

    def test_others_of_a_group_are_stored_though_a_name_is_taken(self) -> None:
        one, two = self.started("one", "two")
        one.nodes.claim("ann", ["a"])
        one.is_done()
        taken, free = two.nodes.claim("bob", ["a"]), two.nodes.claim("bob", ["b"])
        two.says(TEA, "hello")
        two.is_done()
        self.failureResultOf(taken, Taken)
        self.assertIsNone(self.successResultOf(free))
        self.assertEqual(len(two.readers[TEA].stored), 1)


class SharedTests(NodesTestCase):
    def test_a_device_that_goes_elsewhere_does_not_come_back_to_who_knows_it_late(self) -> None:
        one, two = self.started("one", "two")
        for node, taken in ((one, 2), (two, 1)):
            node.nodes.set("device/phone", {"node": node.number, "taken": taken})
            node.is_done()
        self.assertEqual(self.node("three").starts()["device/phone"]["node"], one.number)

    def test_a_new_nickname_is_shared_with_the_event_that_tells_it(self) -> None:
        one, two = self.started("one", "two")
        for person, is_displaced in (("pann", False), ("pbob", True)):
            name = {"nickname": "ann", "displaced": is_displaced}
            one.nodes.set(f"name/{person}", name)
            one.is_done()
            for old, new in (("ann", "anna"), ("eve", "evi")):
                rename = Rename(1.0, TEA, old, new)
                two.store.append([(TEA, Entry(rename, person)), (ROOMS[1], Entry(rename, person))])
                two.is_done()
        shared = self.node("three").starts()
        self.assertEqual(shared["name/pann"]["nickname"], "anna")
        self.assertEqual(shared["name/pbob"]["nickname"], "ann")


class LeaseTests(NodesTestCase):
    def test_a_server_of_which_nothing_is_heard_is_gone_for_all_and_stores_nothing_more(
        self,
    ) -> None:
        one, two, three = self.started("one", "two", "three")
        self.lease_is_over(one)
        self.was_there_long(two)
        two.beats()
        for node in (two, three):
            node.hears_until(lambda node=node: bool(node.lost))  # type: ignore[misc]
            self.assertEqual(node.lost, [(one.number, two.number)])
        one.says(TEA, "too late")
        one.is_done()
        self.assertEqual(len(one.readers[TEA].refused), 1)
        one.says(TEA, "later still")
        one.beats()
        one.beats()
        self.assertEqual(one.was_replaced, 1)
        self.assertEqual(self.does("SELECT text FROM events"), [])

    def test_a_server_finds_out_by_itself_that_it_is_gone_for_the_others(self) -> None:
        one, two = self.started("one", "two")
        self.lease_is_over(one)
        self.was_there_long(two)
        two.beats()
        one.hears_until(lambda: one.was_replaced == 1)

    def test_a_server_that_is_gone_hears_nothing_of_what_others_do_with_its_people(self) -> None:
        one, two = self.started("one", "two")
        one.nodes.set("device/phone", "one's")
        one.is_done()
        self.lease_is_over(one)
        self.was_there_long(two)
        two.beats()
        two.hears_until(lambda: bool(two.lost))
        two.nodes.set("device/phone", "two's")
        two.is_done()
        one.hears_until(lambda: one.was_replaced == 1)
        self.assertEqual(one.shared["device/phone"], "one's")

    def test_who_has_not_had_a_lease_for_long_buries_nobody(self) -> None:
        one, two = self.started("one", "two")
        self.lease_is_over(one)
        two.beats()
        self.assertEqual(two.lost, [])
        one.beats()
        self.was_there_long(two)
        two.beats()
        self.assertEqual(two.lost, [], "it has its lease again")

    def test_after_an_outage_the_first_who_is_back_buries_nobody(self) -> None:
        one, two = self.started("one", "two")
        for node in (one, two):
            self.was_there_long(node)
            self.lease_is_over(node)
        two.beats()
        two.beats()
        self.assertEqual(two.lost, [])
        one.says(TEA, "still here")
        one.is_done()
        self.assertEqual(len(one.readers[TEA].stored), 1)

    def test_who_stops_in_good_order_leaves_their_people_to_another(self) -> None:
        one, two = self.started("one", "two")
        one.stops()
        two.hears_until(lambda: bool(two.lost))
        self.assertEqual(two.lost, [(one.number, two.number)])
        two.stops()
        self.assertEqual(self.does("SELECT node FROM nodes"), [])

    def test_a_client_of_a_server_that_is_gone_may_ask_another_without_being_taken(self) -> None:
        one, two = self.started("one", "two")

        def asks(text: str) -> None:
            message = Message(1.0, TEA, "ann", text)
            two.store.append([(TEA, Entry(message, "person", ref=text, client="device"))])
            two.is_done()

        first = self.outcome(two, two.nodes.take("device"))
        self.assertGreater(self.outcome(one, one.nodes.take("device")), first)
        asks("while it is elsewhere")
        self.assertEqual(len(two.readers[TEA].refused), 1)
        one.stops()
        asks("its heir")
        self.assertEqual([each.text for each, _ in two.readers[TEA].stored], ["its heir"])

    def test_whom_nobody_lives_to_inherit_waits_for_whoever_comes(self) -> None:
        one, two = self.started("one", "two")
        two.is_killed()
        self.lease_is_over(two)
        one.stops()
        three = self.node("three")
        self.assertEqual(three.starts(), {})
        self.was_there_long(three)
        three.beats()
        self.assertEqual(three.lost, [(node.number, three.number) for node in (one, two)])


class HearingTests(NodesTestCase):
    def test_the_longest_text_of_the_widest_characters_is_heard(self) -> None:
        one, two = self.started("one", "two")
        text = "水" * 4_096
        one.says(TEA, text)
        one.says(TEA, "x" + text)
        one.is_done()
        two.hears_until(lambda: len(two.readers[TEA].stored) == 2)
        heard = [event.text for event, _ in two.readers[TEA].stored]
        self.assertEqual(heard, [text, "x" + text])

    def test_a_group_of_more_logs_than_a_notification_has_room_for_is_heard(self) -> None:
        one, two = self.started("one", "two")
        names = [f"@{number}" for number in range(500)]
        for name in names:
            one.store.begin(name, OWN, Reader())
        one.store.append(
            [(name, Entry(Whisper(1.0, OWN, "ann", "bob", name), "ann")) for name in names]
        )
        one.is_done()
        two.hears_until(lambda: bool(two.asked))
        self.assertEqual(sorted(two.asked), sorted(names))
        for name in names:
            ((event, number),) = two.readers[name].seen
            self.assertEqual((getattr(event, "text", ""), number), (name, 1))

    def test_an_event_of_a_log_that_was_begun_here_without_its_past_takes_its_number(self) -> None:
        one, two = self.started("one", "two")
        one.store.begin("@ann", OWN, Reader())
        whisper = Whisper(1.0, OWN, "bob", "ann", "psst")
        for _ in range(3):
            one.store.append([("@ann", Entry(whisper, "bob"))])
        one.is_done()
        two.hears_until(lambda: "@ann" in two.asked)
        three = self.node("three")
        three.starts()
        one.store.append([("@ann", Entry(whisper, "bob"))])
        one.is_done()
        three.hears_until(lambda: "@ann" in three.asked)
        self.assertEqual([number for _, number in three.readers["@ann"].seen], [4])

    def test_what_is_heard_while_a_log_is_opened_is_shown_once(self) -> None:
        one, two = self.started("one", "two")
        one.says(TEA, "known")
        one.is_done()
        for moment in ("before it is read", "after"):
            two.is_done()
            two.store.close(TEA)
            reader = two.readers[TEA] = Reader()
            if moment == "after":
                opened = two.store.open(TEA, TEA, reader)
                two.reading.turns()  # it is read, and not known here yet
            one.says(TEA, moment)
            one.joins(TEA, moment)
            one.is_done()
            if moment == "before it is read":
                opened = two.store.open(TEA, TEA, reader)
                for _ in range(100):
                    two.store.hear()
                two.reading.turns()
            else:
                two.nodes.tell("say/now", 1)
                while two.turns or two.writing.is_busy:
                    for turn in two.turns[:]:
                        two.turns.remove(turn)
                        turn()
                    two.writing.turns()
                    two.writing.is_heard()
            two.reading.is_heard()
            last = self.successResultOf(opened).last
            two.nodes.tell("say/now", 2)
            two.is_done()
            numbers = [number for _, number in reader.stored]
            self.assertEqual(numbers, [*range(last + 1, len(numbers) + last + 1)], moment)
            self.assertEqual(last + len(numbers), 2 if moment.startswith("before") else 3)

    def test_a_group_in_doubt_is_shown_between_what_others_stored_before_and_after_it(self) -> None:
        one, two = self.started("one", "two")
        two.says(TEA, "before")
        two.is_done()
        one.network.loses, one.network.cuts_after = "answer", True
        one.says(TEA, "in doubt")
        one.is_done()
        two.says(TEA, "after")
        two.nodes.set("person/ann", 1)
        two.is_done()
        one.network.is_cut = False
        one.is_done()
        seen = [(event.text, number) for event, number in one.readers[TEA].stored]
        self.assertEqual(seen, [("before", 1), ("in doubt", 2), ("after", 3)])
        self.assertEqual((one.missed_times, one.shared), (1, {"person/ann": 1}))
        self.assertEqual((one.counters.in_doubt, one.counters.missed), (1, 1), "that after it")
        self.assertEqual((two.counters.in_doubt, two.counters.missed), (0, 0))
        two.hears_until(lambda: len(two.readers[TEA].stored) == 3)
        self.assertEqual(two.readers[TEA].stored, one.readers[TEA].stored)

    def test_what_was_set_while_the_database_was_away_is_told_when_it_is_back(self) -> None:
        one, two = self.started("one", "two")
        one.network.is_cut = True
        one.says(TEA, "in doubt")
        one.is_done()
        one.nodes.set("person/ann", 1)
        one.nodes.tell("say/hello", 2)
        one.joins(ROOMS[1], "ann")
        self.assertEqual(len(one.readers[ROOMS[1]].seen), 1, "nobody waits for that")
        one.network.is_cut = False
        one.is_done()
        two.hears_until(lambda: len(two.heard_of) == 2)
        told = [(one.number, "person/ann", 1), (one.number, "say/hello", 2)]
        self.assertEqual(two.heard_of, told)
        self.assertEqual(one.heard_of, told)
        self.assertEqual(two.readers[ROOMS[1]].seen, one.readers[ROOMS[1]].seen, "told late, once")
        self.assertEqual(len(one.readers[ROOMS[1]].seen), 1)

    def test_what_is_told_of_somebody_who_went_on_elsewhere_is_shown_nowhere(self) -> None:
        one, two = self.started("one", "two")
        entry = Entry(Join(1.0, TEA, "ann"), "gone")
        one.store.append([(TEA, entry)])
        one.is_done()
        one.says(TEA, END)
        one.is_done()
        two.hears_the_end()
        for node in (one, two):
            self.assertEqual([type(event) for event, _ in node.readers[TEA].seen], [Message])
        self.assertEqual(one.readers[TEA].refused, [entry.event])

    def test_what_was_set_while_the_disk_was_full_is_told_when_it_has_room(self) -> None:
        one, two = self.started("one", "two")
        one.network.is_full = True
        one.nodes.set("person/ann", 1)
        one.is_done()
        self.assertEqual(one.heard_of, [])
        one.network.is_full = False
        one.store.try_again()
        one.is_done()
        two.hears_until(lambda: bool(two.heard_of))
        self.assertEqual(two.heard_of, [(one.number, "person/ann", 1)])

    def test_a_connection_that_is_lost_while_nothing_happens_is_made_again_at_once(self) -> None:
        one, two = self.started("one", "two")
        one.loses_its_connection()
        two.says(TEA, END)
        two.is_done()
        one.hears_the_end()
        self.assertEqual(one.missed_times, 1)

    def test_the_first_in_somebodys_own_log_is_shown_though_it_was_missed(self) -> None:
        one, two = self.started("one", "two")
        for device, node in ((1, one), (2, one), (3, two)):
            value = {"person": f"p{min(device, 2)}", "node": node.number}
            node.nodes.set(f"device/{device}", value)
            node.is_done()
        for person in ("p1", "p2", "p3"):
            two.asked_for(f"@{person}", "@")
        one.loses_its_connection()
        for log in ("@p1", "@p2", "@p3"):
            two.says(log, f"to {log}")
            two.is_done()
        two.says(TEA, END)
        two.is_done()
        one.hears_the_end()
        self.assertEqual(one.asked, ["@p1", "@p2"])
        for log in one.asked:
            self.assertEqual(
                [(event.text, number) for event, number in one.readers[log].stored],
                [(f"to {log}", 1)],
            )
        two.says("@p1", "once more")
        two.is_done()
        one.hears_until(lambda: len(one.readers["@p1"].stored) == 2)

    def test_what_a_newer_server_tells_and_is_not_known_here_is_left_out(self) -> None:
        one, two = self.started("one", "two")
        entry = Entry(Message(1.0, TEA, "ann", "known"), "ann")
        one.store.append([(TEA, entry)])
        one.is_done()
        news = (
            '{"logs": [["#tea", "#tea", "new"]], "new": 1, "words": [["say/new", 1]], "told": '
            '[{"log": 0, "at": 0, "kind": "new", "event": {}, "author": "", "ref": null,'
            ' "client": ""}], "stored": [[0, 1, 1.0, "new", "ann", null, null, "ann", null, null,'
            " null]]}"
        )
        self.does(
            "SELECT tell_news(99, 1, %s, %s::text[])", '{"bases": {"0": [1, 1]}, "new": 2}', [news]
        )
        one.says(TEA, END)
        one.is_done()
        two.hears_the_end()
        self.assertEqual([number for _, number in two.readers[TEA].seen], [1, 2])
        self.assertEqual(two.heard_of, [(99, "say/new", 1)])
