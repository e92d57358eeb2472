"""Faults of servers, of their database, and of what is between them, one at a time."""

import random
import time
from collections.abc import Callable

from tests.e2e.cluster import Cluster, Node
from tests.e2e.patience import eventually

LEASE = 10.0
"""Seconds after which the others look after the people of a server that is gone."""

Fault = Callable[["Faults"], None]


class Faults:
    """What happens to some servers; each fault is over when it returns.

    Args:
        cluster: the servers.
        chance: decides which of them, and for how long.
    """

    def __init__(self, cluster: Cluster, chance: random.Random) -> None:
        self.cluster = cluster
        self.chance = chance
        self.buried: list[str] = []
        """Servers that ended although they were not cut off alone."""

    def _node(self) -> Node:
        return self.chance.choice(self.cluster.nodes)

    def _lasts(self, least: float, most: float) -> None:
        time.sleep(self.chance.uniform(least, most))

    def _is_replaced(self, node: Node) -> None:
        """Somebody else has taken its place: it ends by itself, and is started again."""
        eventually(lambda: not node.server.is_running, f"{node.name} ends by itself")
        node.starts()

    def _all_still_run(self) -> None:
        for node in self.cluster.nodes:
            if not node.server.is_running:
                self.buried.append(node.name)
                node.starts()

    def kill(self) -> None:
        """A server is killed, and started again soon."""
        node = self._node()
        node.kills()
        self._lasts(0, 3)
        node.starts()

    def loss(self) -> None:
        """A server is killed, and started again when the others have given it up."""
        node = self._node()
        node.kills()
        self._lasts(LEASE + 4, LEASE + 6)
        node.starts()

    def stop(self) -> None:
        """A server is stopped in good order, and started again."""
        node = self._node()
        node.server.stop()
        self._lasts(0, 1)
        node.starts()

    def freeze(self) -> None:
        """A server stands still for a while."""
        node = self._node()
        node.freezes()
        self._lasts(0.05, 5)
        node.thaws()

    def faint(self) -> None:
        """A server stands still until the others have given it up."""
        node = self._node()
        node.freezes()
        self._lasts(LEASE + 4, LEASE + 6)
        node.thaws()
        self._is_replaced(node)

    def cut(self) -> None:
        """A server is cut off from the database for a while."""
        cable = self._node().cable
        assert cable is not None
        cable.cuts()
        self._lasts(0.05, 5)
        cable.mends()

    def exile(self) -> None:
        """A server is cut off from the database until the others have given it up."""
        node = self._node()
        assert node.cable is not None
        node.cable.cuts()
        self._lasts(LEASE + 4, LEASE + 6)
        node.cable.mends()
        self._is_replaced(node)

    def stall(self) -> None:
        """Nothing passes between a server and the database for a while."""
        cable = self._node().cable
        assert cable is not None
        cable.stalls()
        self._lasts(0.05, 3)
        cable.mends()

    def hangup(self) -> None:
        """The database ends the connections of a server."""
        self.cluster.ends_connections(self._node())

    def crash(self) -> None:
        """The database is killed, and started again."""
        self.cluster.engine.kill()
        self._lasts(0, 1)
        self.cluster.engine.start()
        self._lasts(1, 2)
        self._all_still_run()

    def daze(self) -> None:
        """The database stands still for a while."""
        self.cluster.engine.freezes()
        self._lasts(0.05, 4)
        self.cluster.engine.thaws()

    def coma(self) -> None:
        """The database stands still for longer than all leases."""
        self.cluster.engine.freezes()
        self._lasts(LEASE + 1, LEASE + 3)
        self.cluster.engine.thaws()
        self._lasts(3, 4)
        self._all_still_run()


QUICK = ("kill", "stop", "freeze", "cut", "stall", "hangup", "crash", "daze")
SLOW = ("loss", "faint", "exile", "coma")
"""Those that last longer than a lease."""
