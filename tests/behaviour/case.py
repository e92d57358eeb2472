"""A test that is run over every frontend."""

from typing import TYPE_CHECKING, Any, ClassVar

from tests.behaviour.plain import Netcat
from tests.behaviour.secure import SecureNetcat
from tests.behaviour.seen import Refusal, Seen
from tests.behaviour.structured import Bot
from tests.behaviour.visitor import Visitor
from tests.behaviour.websocket import Browser
from tests.disk import DiskTestCase
from tests.people import ChatTestCase
from tests.postgres import why_not
from tests.postgres_case import PostgresTestCase, SlowPostgresTestCase
from tests.several import SpreadTestCase

FRONTENDS: dict[str, type[Visitor]] = {
    "PlainLines": Netcat,
    "StructuredLines": Bot,
    "WebSocket": Browser,
    "Tls": SecureNetcat,
}
"""Every way in, and who comes that way; a new one is one line here."""

if TYPE_CHECKING:
    from tests.disk import DiskTestCase as _Disk
    from tests.people import ChatTestCase as _Chat
else:  # what is run is made by `make_test_case_classes` alone
    _Chat = _Disk = object


class Behaviour(_Chat):
    """Tests that say what is so at every frontend; like Twisted's own `ReactorBuilder`."""

    base: ClassVar[type[ChatTestCase]] = ChatTestCase
    in_postgres: ClassVar[type[ChatTestCase]] = PostgresTestCase
    frontend: type[Visitor]

    @classmethod
    def make_test_case_classes(cls) -> dict[str, type]:
        """A test case for each frontend, by its name, and one whose store is in PostgreSQL."""
        cases = [(f"Over{name}", visitor, cls.base) for name, visitor in FRONTENDS.items()]
        if not why_not():
            cases.append(("InPostgres", Bot, cls.in_postgres))
        if issubclass(SpreadTestCase, cls.base):
            cases.append(("PlainLinesAtSeveralServers", Netcat, SpreadTestCase))
            cases.append(("StructuredLinesAtSeveralServers", Bot, SpreadTestCase))
        made: dict[str, type] = {}
        for how, visitor, base in cases:
            name = f"{cls.__name__}{how}"
            members = {"frontend": visitor, "__module__": cls.__module__, "__qualname__": name}
            made[name] = type(name, (cls, base), members)
        return made

    def connects(self, host: str = "127.0.0.1") -> Any:
        """Somebody who has no nickname yet."""
        return self.frontend(self.next_server(), host)

    def comes(self, nickname: str, host: str = "127.0.0.1") -> Visitor:
        """Somebody who is in the lobby, and has read what stands there."""
        visitor: Visitor = self.connects(host).answers(nickname)
        self.look_away(visitor)
        self.assertEqual(visitor.nickname, nickname)
        return visitor

    def come(self, *nicknames: str) -> list[Visitor]:
        """Several, who have read that the others came."""
        visitors = [self.comes(nickname) for nickname in nicknames]
        self.look_away(*visitors)
        return visitors

    def look_away(self, *visitors: Visitor) -> None:
        """What has come until now is of no interest."""
        self.all_is_done()
        for visitor in visitors:
            visitor.sees()

    def all_is_done(self) -> None:
        """Nothing is under way any more."""
        self.clock.advance(0)

    def assert_refused(self, visitor: Visitor, *texts: str) -> None:
        """All that they see is that something cannot be done, and why."""
        seen = visitor.sees()
        self.assertEqual([type(each) for each in seen], [Refusal], seen)
        for text in texts:
            self.assertIn(text, str(seen[0]))

    def assert_sees(self, visitor: Visitor, *seen: Seen) -> None:
        """They see this, and nothing else."""
        self.assertEqual(visitor.sees(), list(seen))


class DiskBehaviour(Behaviour, _Disk):
    """The same with a database on a disk that does nothing by itself."""

    base = DiskTestCase
    in_postgres = SlowPostgresTestCase

    def all_is_done(self) -> None:
        """See `Behaviour.all_is_done`."""
        self.the_disk_works()
