"""A room that is kept in order: its owner, an operator, somebody with voice, and a member."""

from tests.behaviour.case import Behaviour
from tests.behaviour.visitor import Visitor
from twisted_chat import Limits
from twisted_chat.stores.account import Account
from twisted_chat.text.passwords import Password


class OrderBehaviour(Behaviour):
    """Alice owns #dev, bob is an operator, carol has voice, and dan is a member."""

    limits = Limits(pace=None)

    def setUp(self) -> None:
        """They have read what there was to read."""
        super().setUp()
        self.all_is_done()
        self.alice = self.comes("alice", "192.0.2.1")
        self.has_account(self.alice)
        self.bob, self.carol = self.comes("bob", "192.0.2.2"), self.comes("carol", "192.0.2.3")
        self.dan = self.comes("dan", "192.0.2.4")
        self.everybody = (self.alice, self.bob, self.carol, self.dan)
        for person in self.everybody:
            person.joins("dev")
            self.all_is_done()
        self.decides("/op bob", "/voice carol")
        self.look_away(*self.everybody)

    def has_account(self, visitor: Visitor, *, is_admin: bool = False) -> None:
        """Their nickname is registered, and they are logged in."""
        chat = self.factory.chat
        person = chat.people.find(visitor.nickname)
        person.account = person.id
        chat.publish(person)
        for each in self.chats if is_admin else ():
            each.accounts._load([Account(person.id, person.nickname, "", 0, 0, is_admin=True)])

    def registers(self, name: str) -> None:
        """There is an account, whose owner is not here."""
        chat = self.factory.chat
        made = chat.accounts.register(name, Password("correct horse"), f"id of {name}", "::1")
        self.all_is_done()
        self.successResultOf(made)

    def decides(self, *commands: str, who: Visitor | None = None) -> None:
        """Alice, or somebody else, does commands; what follows is over."""
        for command in commands:
            (who or self.alice).does(command)
            self.all_is_done()
            self.clock.advance(0)
            self.all_is_done()

    def assert_is_refused(self, visitor: Visitor, command: str, *texts: str) -> None:
        """They are told why something is not done, and nobody else sees anything."""
        self.look_away(visitor, *self.everybody)
        self.decides(command, who=visitor)
        self.assert_refused(visitor, *texts)
        for other in self.everybody:
            self.assert_sees(other)
