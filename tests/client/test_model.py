from twisted.trial.unittest import SynchronousTestCase

from twisted_chat import events
from twisted_chat.client.incoming import Happened, Member, State, Welcome
from twisted_chat.client.model import Model
from twisted_chat.events import Entry, Event


class ModelTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.model = Model("alice")
        self.welcome(resumed=False)
        self.enter("#lobby", "alice", "bob", "Carl")

    def welcome(self, *, resumed: bool) -> None:
        self.model.welcome(Welcome("alice", "token", "Test", resumed, (), ()))

    def enter(self, room: str, *nicks: str) -> bool:
        return self.model.state(State(room, "", tuple(map(Member, nicks)), len(nicks)))

    def happens(self, event: Event, number: int = 0, *, replayed: bool = False) -> None:
        self.model.happened(Happened(Entry(event, id=number), replayed))

    def says(self, room: str, nick: str, text: str, **keys: bool) -> None:
        self.happens(events.Message(0.0, room, nick, text), 1, **keys)

    def here(self) -> list[str]:
        return [member.nick for member in self.model.here.people()]

    def test_the_last_speakers_come_first_and_the_silent_by_name(self) -> None:
        self.enter("#lobby", "zoe", "alice", "bob", "Carl")
        self.says("#lobby", "zoe", "hi")
        self.says("#lobby", "Carl", "hi")
        self.assertEqual(self.here(), ["Carl", "zoe", "alice", "bob"])

    def test_people_come_go_and_change_their_names(self) -> None:
        self.happens(events.Join(0.0, "#lobby", "dave"))
        self.happens(events.Leave(0.0, "#lobby", "bob", ""))
        self.happens(events.Rename(0.0, "#lobby", "Carl", "carla"), 1)
        self.assertEqual(self.here(), ["alice", "carla", "dave"])
        self.assertEqual(self.model.here.count, 3)

    def test_history_changes_nobodys_presence(self) -> None:
        self.happens(events.Rename(0.0, "#lobby", "alice", "ally"), 1, replayed=True)
        self.assertEqual(self.model.nick, "alice")
        self.assertEqual(self.here(), ["alice", "bob", "Carl"])

    def test_lines_in_other_rooms_are_unread_until_one_goes_there(self) -> None:
        self.enter("#dev", "alice", "bob")
        self.says("#dev", "bob", "hi")
        self.says("#dev", "bob", "Alice?")
        self.says("#lobby", "bob", "hi")
        dev, lobby = self.model.rooms["#dev"], self.model.rooms["#lobby"]
        self.assertEqual((dev.unread, dev.called), (2, True))
        self.assertEqual((lobby.unread, lobby.called), (0, False))
        self.model.go("#dev")
        self.assertEqual((dev.unread, dev.called), (0, False))

    def test_a_newcomers_history_is_not_unread_but_what_was_missed_is(self) -> None:
        self.model.go("#dev")
        self.says("#lobby", "bob", "long ago", replayed=True)
        self.assertEqual(self.model.rooms["#lobby"].unread, 0)
        self.welcome(resumed=True)
        self.says("#lobby", "bob", "just now", replayed=True)
        self.assertEqual(self.model.rooms["#lobby"].unread, 1)

    def test_ones_own_lines_are_never_unread(self) -> None:
        self.model.go("#dev")
        self.says("#lobby", "alice", "hi")
        self.assertEqual(self.model.rooms["#lobby"].unread, 0)

    def test_leaving_a_room_leads_to_the_one_entered_last(self) -> None:
        self.enter("#dev", "alice")
        self.enter("#ops", "alice")
        self.model.go("#dev")
        self.happens(events.Leave(0.0, "#dev", "alice", ""))
        self.assertEqual(self.model.current, "#ops")
        self.assertNotIn("#dev", self.model.seen)

    def test_whoever_is_removed_from_a_room_types_into_another(self) -> None:
        self.enter("#dev", "alice", "bob")
        self.model.go("#dev")
        self.happens(events.Kick(0.0, "#dev", "bob", "alice", "noise"), 1)
        self.happens(events.Leave(0.0, "#dev", "alice", "removed by bob"))
        self.assertEqual(self.model.current, "#lobby")
        self.assertNotIn("#dev", self.model.rooms)

    def test_who_had_our_nickname_before_us_may_leave_while_we_enter(self) -> None:
        self.model.go("#dev")
        self.happens(events.Leave(0.0, "#dev", "alice", "connection lost"))
        self.enter("#dev", "alice", "bob")
        self.assertEqual(self.model.current, "#dev")
        self.assertEqual(self.here(), ["alice", "bob"])

    def test_a_room_is_the_same_in_any_spelling(self) -> None:
        self.enter("#Dev", "alice")
        self.model.go("#DEV")
        self.assertEqual(self.model.current, "#Dev")

    def test_a_name_counts_as_a_whole_word_only(self) -> None:
        self.assertEqual(
            self.model.calls_me("Alice, malice and alice2: ALICE!"), [(0, 5), (26, 31)]
        )

    def test_a_log_that_began_anew_is_followed_from_its_beginning(self) -> None:
        self.happens(events.Message(0.0, "#lobby", "bob", "hi"), 1042)
        self.welcome(resumed=False)
        self.happens(events.Message(0.0, "#lobby", "bob", "hi"), 3)
        self.assertEqual(self.model.seen, {"#lobby": 3, "@": 0})

    def test_entering_is_told_once(self) -> None:
        self.assertTrue(self.enter("#dev", "alice"))
        self.assertFalse(self.enter("#dev", "alice"))
        self.welcome(resumed=True)
        self.assertFalse(self.enter("#dev", "alice"))
        self.welcome(resumed=False)
        self.assertTrue(self.enter("#dev", "alice"))

    def test_a_crowd_that_is_not_listed_whole_is_still_counted_right(self) -> None:
        self.model.state(State("#lobby", "", (Member("alice"),), 700))
        self.happens(events.Leave(0.0, "#lobby", "somebody", ""))
        self.happens(events.Join(0.0, "#lobby", "else"))
        self.assertEqual(self.model.here.count, 700)
