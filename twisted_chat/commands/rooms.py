"""Commands about rooms: listing, joining and leaving them, and their topics."""

import heapq
from functools import partial

from twisted.internet.defer import Deferred

from twisted_chat.chat.rights import Right
from twisted_chat.chat.room import Room
from twisted_chat.commands.account import check_slip_behind
from twisted_chat.commands.command import Caller, Family, Lines
from twisted_chat.text.counted import counted

family = Family()


@family.command(
    "join",
    "ROOM [KEY]",
    "join a room, or switch back to it",
    right=None,  # for the room that is entered, `Chat.join` asks
    aliases=("j",),
    detail=("Joining a room that does not exist creates it. You also stay in your other rooms.",),
)
def _join(caller: Caller, room: Room, rest: str) -> Deferred[Lines]:
    name, _, key = rest.partition(" ")
    joined = caller.chat.join(caller.person, name, key.strip())
    return joined.addCallback(partial(_joined, caller))


def _joined(caller: Caller, room: Room) -> Lines:
    caller.talk_in(room)
    return [f"You are in {room.name}: what you type goes there. /leave leaves it."]


@family.command(
    "leave",
    "[ROOM]",
    "leave a room",
    right=None,
    aliases=("part",),
    detail=("Without ROOM, the room you are typing in.",),
)
def _leave(caller: Caller, room: Room, name: str) -> Lines:
    left = caller.chat.room_of(caller.person, name) if name else room
    here = left is caller.room
    caller.chat.leave(caller.person, left)
    if here:
        other = caller.chat.rooms[next(reversed(caller.person.rooms))]
        caller.talk_in(other)
        return [f"You left {left.name}; you are in {other.name}: what you type goes there."]
    return [f"You left {left.name}."]


@family.command(
    "rooms",
    "",
    "list the rooms, their topics and how many people are in them",
    right=None,
    aliases=("list",),
)
def _rooms(caller: Caller, room: Room, rest: str) -> Lines:
    rights, me = caller.chat.rights, caller.person
    shown = [
        each
        for each in caller.chat.rooms.values()
        if (each.members or each.topic) and rights.knows_of(me, each)
    ]
    most = caller.chat.limits.listed_rooms
    lines = []
    for each in heapq.nsmallest(most, shown, lambda each: (-len(each.members), each.key)):
        people = "1 person" if len(each.members) == 1 else f"{len(each.members)} people"
        topic = each.topic if rights.may_look_into(me, each) else ""
        locked = "" if each.order.lock is None else ", locked"
        lines.append(f"{each.name}: {people}{locked}" + (f", topic: {topic}" if topic else ""))
    if len(shown) > most:
        lines.append(f"and {counted(len(shown) - most, 'more room')}")
    return lines


@family.command(
    "topic",
    "[TEXT]",
    "show or change the topic of the room",
    right=Right.SET_TOPIC,
    detail=("/topic - removes it.",),
    only_asks=True,
)
def _topic(caller: Caller, room: Room, text: str) -> Lines:
    if not text:
        if room.topic:
            return [f"The topic of {room.name} is: {room.topic}"]
        return [f"{room.name} has no topic: /topic TEXT sets one."]
    check_slip_behind(text)
    caller.chat.set_topic(caller.person, room, "" if text == "-" else text, caller.request)
    return []
