"""Dead connections are found, however many come and go in the meantime."""

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from twisted_chat.frontends.liveness import LOOK, SOME, Lookout


class Somebody:
    """Somebody with a connection, which is asked for its socket only while there is one."""

    is_gone = False
    looks = 0

    @property
    def handle(self) -> object:
        """See `liveness.Connected`."""
        if self.is_gone:
            raise AttributeError("'Server' object has no attribute 'socket'")
        self.looks += 1
        return None

    def vanish(self) -> None:
        """See `liveness.Connected`."""


class LookoutTests(SynchronousTestCase):
    def test_a_connection_closed_between_two_checks_does_not_stop_them(self) -> None:
        clock, people = Clock(), [Somebody() for _ in range(SOME + 100)]
        connections = dict.fromkeys(people)
        lookout = Lookout(clock, connections.keys())
        lookout.wake()
        clock.advance(LOOK)
        del connections[people[-1]]
        people[-1].is_gone = True
        clock.pump([LOOK] * 4)
        self.assertEqual({person.looks for person in people[:-1]}, {2, 3})
