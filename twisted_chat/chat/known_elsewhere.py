"""What all servers know of people and their devices: how it is written as JSON, and read back."""

from collections.abc import Mapping
from typing import Any

from twisted_chat.chat.device import Device
from twisted_chat.chat.person import Person


def name_value(person: Person) -> dict[str, Any]:
    """What somebody is called, apart from the rest, so that nothing else that changes undoes it."""
    return {
        "nickname": person.nickname,
        "displaced": person.displaced,
        "former": list(person.former),
    }


def room_value(name: str, entered: int) -> dict[str, Any]:
    """What all servers know of somebody's being in a room.

    Args:
        name: the room's.
        entered: the number of its last event when they entered.
    """
    return {"name": name, "entered": entered}


def person_value(person: Person) -> dict[str, Any]:
    """What all servers know of somebody, but for what they are called, and their rooms."""
    return {
        "account": person.account,
        "since": person.since,
        "away": person.away,
        "ignored": [list(each) for each in person.ignored.values()],
        "read": person.read,
        "marks": dict(person.marks),
        "bell": person.bell,
    }


def device_value(person: Person, device: Device, node: int) -> dict[str, Any]:
    """What all servers know of a device.

    Args:
        person: whose it is.
        device: the device, which comes to this server.
        node: the number of this server.
    """
    return {
        "person": person.id,
        "node": node,
        "taken": device.taken,
        "address": device.address,
        "since": device.since,
        "token": device.token_hash,
        "quiet": device.is_quiet,
        "remembered": device.is_remembered,
        "until": device.until,
        "resumes": device.may_resume,
        "connected": device.connection is not None,
        "room": device.room,
        "done": list(device.done),
    }


def make_device(device_id: str, value: Mapping[str, Any]) -> Device:
    """A device that comes to another server."""
    device = Device(value["address"], value["since"])
    device.id = device_id
    device.token_hash = value["token"]
    learn_device(device, value)
    return device


def learn_device(device: Device, value: Mapping[str, Any]) -> None:
    """A device that comes to another server is as that says, but for its token."""
    device.address = value["address"]
    device.since = value["since"]
    device.is_quiet = value["quiet"]
    device.is_remembered = value["remembered"]
    device.until = value["until"]
    device.may_resume = value["resumes"]
    device.room = value["room"]
    device.done = tuple(value["done"])
    device.node = value["node"]
    device.taken = value["taken"]
    device.is_connected_elsewhere = value["connected"]


def make_person(
    person_id: str,
    name: Mapping[str, Any],
    value: Mapping[str, Any],
    devices: Mapping[str, Device],
) -> Person:
    """Somebody who came to another server, in no room yet."""
    first = next(iter(devices.values()), None) or Device("", value["since"])
    person = Person(name["nickname"], first, value["account"])
    person.id = person_id
    person.devices = dict(devices)
    person.since = value["since"]
    person.displaced = name["displaced"]
    person.former = tuple(name["former"])
    learn_person(person, value)
    return person


def learn_person(person: Person, value: Mapping[str, Any]) -> None:
    """Somebody is as another server says, but for nickname, rooms and what they have read."""
    person.account = value["account"]
    person.away = value["away"]
    person.bell = value["bell"]
    if [list(each) for each in person.ignored.values()] != value["ignored"]:
        person.ignore_only(value["ignored"])
