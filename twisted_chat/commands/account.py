"""Commands about accounts: making a nickname one's own, logging in and out, and devices."""

import re
import time

from twisted.internet.defer import Deferred

from twisted_chat.chat.device import Device
from twisted_chat.chat.person import Person
from twisted_chat.chat.room import Room
from twisted_chat.commands.command import Caller, Family, Lines
from twisted_chat.refusal import Refused
from twisted_chat.text.passwords import Password

family = Family()

_WORD = r"(login|register|password|identify)[\s:=,;]+\S"

SLIP = re.compile(rf"[\W_]*{_WORD}", re.IGNORECASE)
"""What somebody means as a command with a password, and has mistyped."""

_SLIP_BEHIND = re.compile(rf"[\W_]+{_WORD}", re.IGNORECASE)
"""The same behind another command: a topic may begin with "Password", but not with "/password"."""


def slip(found: re.Match[str]) -> Refused:
    """What somebody is told who has typed something that looks like a password."""
    word = found[1].lower().replace("identify", "login")
    return Refused(
        "slip",
        f"That may be a password, so nobody has seen it. The command is /{word}, with the "
        "slash first; to talk about it, begin with another word.",
    )


def check_slip_behind(text: str) -> None:
    """Make sure that the text of a command is not a command with a password itself.

    Raises:
        Refused: it looks like one.
    """
    found = _SLIP_BEHIND.match(text)
    if found is not None:
        raise slip(found)


def mark(person: Person, caller: Caller) -> str:
    """The star behind a name that is registered; nobody's name can have one."""
    account = caller.chat.accounts.with_id(person.account)
    return "*" if account is not None and account.key == person.key else ""


def _check_logged_in(caller: Caller) -> None:
    if not caller.person.account:
        raise Refused("not-logged-in", "You are not logged in: /login NICK PASSWORD does that.")


@family.command(
    "register",
    "PASSWORD",
    "make your nickname your own",
    right=None,
    detail=(
        "The password is the rest of the line, and has at least eight characters.",
        "Then nobody else can use your nickname, and you can be here with several devices.",
    ),
)
def _register(caller: Caller, room: Room, password: str) -> Deferred[Lines]:
    caller.check_privacy()
    made = caller.chat.register(caller.person, caller.device, Password(password))
    return made.addCallback(
        lambda account: [
            f"The nickname {account.name} is yours.",
            f"Type it when you are asked for your nickname, or /login {account.name} PASSWORD.",
        ]
    )


@family.command(
    "login",
    "[NICK] PASSWORD",
    "log in to your account",
    right=None,
    detail=("Without NICK, to the account of the nickname that you have now.",),
)
def _login(caller: Caller, room: Room, rest: str) -> Deferred[Lines]:
    name, password = name_and_password(caller, rest) or (caller.person.nickname, rest)
    return caller.log_in(name, Password(password))


def name_and_password(caller: Caller, rest: str) -> tuple[str, str] | None:
    """What somebody typed as a registered name and its password; None if that is not a name."""
    name, _, password = rest.strip().partition(" ")
    accounts = caller.chat.accounts
    if not password.strip() or not (accounts.called(name) or accounts.are_elsewhere):
        return None
    return name, password


@family.command("logout", "", "log out this device, and close its connection", right=None)
def _logout(caller: Caller, room: Room, rest: str) -> Lines:
    _check_logged_in(caller)
    caller.chat.log_out(caller.person, caller.device)
    return ["You are logged out."]


@family.command(
    "password",
    "OLD NEW",
    "change your password",
    right=None,
    detail=(
        "With a blank in either, put a slash between them: /password my old one / my new one",
        "Your other devices stay logged in: /devices end all logs them out.",
    ),
)
def _password(caller: Caller, room: Room, rest: str) -> Deferred[Lines]:
    _check_logged_in(caller)
    caller.check_privacy()
    words = rest.split(" / ") if " / " in rest else rest.split()
    if len(words) != 2:
        raise Refused("usage", "Usage: /password OLD NEW, or /password OLD / NEW with blanks in it")
    old, new = map(Password, words)
    changed = caller.chat.accounts.change_password(
        caller.person.account, old, new, caller.device.address
    )
    return changed.addCallback(lambda _: ["Your password is changed."])


@family.command(
    "devices",
    "[end NUMBER|all]",
    "list the devices that are logged in as you, or end one, or all others",
    right=None,
    detail=("A device that is ended has to log in again.",),
)
def _devices(caller: Caller, room: Room, rest: str) -> Lines:
    _check_logged_in(caller)
    me, chat = caller.person, caller.chat
    here = sorted(me.devices.values(), key=lambda device: device.since)
    asleep = chat.asleep.of(me.account)
    if not rest:
        lines = []
        for device in here:
            this = "this one" if device is caller.device else "connected"
            state = this if device.is_connected else "reconnecting"
            lines.append(f"{state}, since {_day(device.since)}, from {device.address}")
        lines += [
            f"away, since {_day(each.since)}, last from {each.address}, until {_day(each.until)}"
            for each in asleep
        ]
        return [f"{number}. {line}" for number, line in enumerate(lines, 1)]
    word, _, number = rest.lower().partition(" ")
    if word == "end" and number == "all":
        for device in here:
            if device is not caller.device:
                _end(caller, device)
        for each in asleep:
            chat.forget_asleep(each)
        return ["Your other devices are logged out."]
    if word != "end" or not number.isdecimal() or len(number) > 3:
        raise Refused("usage", "Usage: /devices, or /devices end NUMBER, or /devices end all")
    ended = int(number) - 1
    if not 0 <= ended < len(here) + len(asleep):
        raise Refused("no-such-device", f"There is no device {number}: /devices lists them.")
    if ended >= len(here):
        chat.forget_asleep(asleep[ended - len(here)])
    else:
        _end(caller, here[ended])
    return [f"Device {number} is logged out."]


def _end(caller: Caller, device: Device) -> None:
    caller.chat.log_out(caller.person, device, is_told=device is not caller.device)


def _day(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(seconds))


@family.command(
    "forget",
    "PASSWORD",
    "delete your account",
    right=None,
    detail=("Your nickname is free when you leave. What you said in rooms stays.",),
)
def _forget(caller: Caller, room: Room, password: str) -> Deferred[Lines]:
    _check_logged_in(caller)
    caller.check_privacy()
    gone = caller.chat.forget_account(caller.person, caller.device, Password(password))
    return gone.addCallback(lambda account: [f"The account {account.name} is deleted."])
