"""People whose nickname is their own, and administrators, at every frontend."""

from itertools import count

from tests.behaviour.case import Behaviour
from tests.behaviour.visitor import Visitor
from twisted_chat import Limits
from twisted_chat.text.passwords import Password


class Registered(Behaviour):
    """Tests in which some people have an account."""

    limits = Limits(pace=None)

    def setUp(self) -> None:
        """Nobody is here."""
        super().setUp()
        self._places = count(1)

    def registers(self, visitor: Visitor) -> str:
        """Somebody registers their nickname, and is logged in; gives the account's id."""
        chat = self.factory.chat
        person = chat.people.find(visitor.nickname)
        place = f"198.51.100.{next(self._places)}"
        registered = chat.accounts.register(
            person.nickname, Password("correct horse"), person.id, place
        )
        self.all_is_done()
        person.account = self.successResultOf(registered).id
        chat.publish(person)
        return person.account

    def becomes_administrator(self, visitor: Visitor) -> None:
        """Whoever runs the server makes somebody an administrator."""
        made = self.factory.chat.accounts.set_admin(self.registers(visitor), is_admin=True)
        self.all_is_done()
        self.successResultOf(made)

    def comes_back_as_administrator(self, nickname: str) -> Visitor:
        """An administrator comes, who logs in."""
        visitor = self.comes(nickname)
        self.becomes_administrator(visitor)
        return visitor
