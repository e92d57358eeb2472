"""What somebody knows of a room from what they were told, and what they may be told next."""

from dataclasses import dataclass, field

from tests.world.oracle import Oracle, Said


@dataclass
class RoomView:
    """A room as one connection sees it.

    Args:
        last: the number of the last stored event; None if any may follow.
        members: who is here, by key, and who that is if it is known; None until told.
        told: when that was told, all at once: the step.
        entries: how often they may be told still who is here.
        joining: how often they left it, and may enter it again.
        is_entered: whether they have read its history, and are told what is new.
    """

    last: int | None = None
    members: dict[str, str] | None = None
    told: int = 0
    entries: int = 1
    is_entered: bool = False
    joining: int = 0
    farewells: dict[str, str] = field(default_factory=dict)  # by nickname, why somebody left
    texts: dict[str, None] = field(default_factory=dict)
    live: dict[str, None] = field(default_factory=dict)  # of them: those that are no answer

    def joined(self, nickname: str) -> None:
        """Somebody is told to have joined."""
        if self.members is not None:
            self.members[nickname.lower()] = ""

    def left(self, nickname: str) -> None:
        """Somebody is told to have left."""
        if self.members is not None:
            self.members.pop(nickname.lower(), None)

    def renamed(self, oracle: Oracle, old: str, new: str, whose: str) -> None:
        """Somebody is told to be called something else."""
        if self.members is None:
            return
        old, new = old.lower(), new.lower()
        if old != new and old in self.members and new in self.members:
            oracle.find("two-of-one-name", f"to {whose}, {old} becomes {new}, who is here too")
        if old in self.members:
            self.members[new] = self.members.pop(old)

    def acts(self, oracle: Oracle, nickname: str, said: Said | None, whose: str) -> None:
        """Somebody does something here, live: they were announced, and are who they were."""
        if self.members is None or said is None or said.step <= self.told:
            return
        if said.person in oracle.quiet:
            return
        key = nickname.lower()
        if key not in self.members:
            oracle.find("unannounced", f"{whose} reads {said} in a room where they never came")
        known = self.members.get(key)
        if known and known != said.person:
            oracle.find("takeover", f"to {whose}, {nickname} is somebody else now: {said}")
        self.members[key] = said.person
