"""What would stop the server from starting, found before anything is started or created."""

import os
import re
import socket
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from twisted.internet.abstract import isIPv6Address
from twisted.internet.endpoints import serverFromString
from twisted.internet.protocol import Factory
from twisted.python import usage
from twisted.python.failure import Failure

from twisted_chat.service import successor
from twisted_chat.service.endpoints import below_tls, cannot_listen, tcp_endpoint
from twisted_chat.stores.sqlite.lock import is_held
from twisted_chat.stores.sqlite.schema import open_to_read
from twisted_chat.stores.unusable import Unusable

_SYSTEMD = "systemd:"
_VALID_BUT = "the options are valid, but "


class Chosen(Protocol):
    """The options that are checked."""

    endpoints: list[str]
    web_endpoints: list[str]

    def __getitem__(self, name: str, /) -> Any:
        """The value of an option."""

    @property
    def database(self) -> Path | None:
        """The file where everything is kept."""

    @property
    def postgres(self) -> str | None:
        """The address of the PostgreSQL database where everything is kept."""


class _Probe:
    """Stands in for a reactor: tries whether a port can be opened, and closes it at once."""

    def listenTCP(self, port: int, factory: object, backlog: int, interface: str) -> None:
        family = socket.AF_INET6 if isIPv6Address(interface) else socket.AF_INET
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((interface, port))

    def listenSSL(
        self, port: int, factory: object, contextFactory: object, backlog: int, interface: str
    ) -> None:
        self.listenTCP(port, factory, backlog, interface)

    def listenUNIX(self, address: str, *_: object, **__: object) -> None:
        path = Path(address)
        if not path.exists():
            _check_writable(path.parent)
        elif stat.S_ISSOCK(path.stat().st_mode):
            with socket.socket(socket.AF_UNIX) as probe:
                try:
                    probe.connect(address)
                except ConnectionRefusedError:  # a dead server has left it
                    return
            raise OSError("another server is listening there")
        else:
            raise OSError("a file of that name already exists")


def check_endpoint(option: str, description: str, *, is_start: bool) -> None:
    """Make sure that an endpoint can be understood.

    Args:
        option: what it was given with.
        description: the endpoint, as Twisted's endpoint strings have it.
        is_start: whether the server is about to listen; systemd passes sockets only to the service.

    Raises:
        usage.UsageError: why not.
    """
    if description.startswith(_SYSTEMD) and not is_start:
        return
    try:
        serverFromString(_Probe(), below_tls(description) or description)
    except (ImportError, NameError) as error:  # Twisted lacks names that it could not import
        raise usage.UsageError(
            f"--{option} {description} needs TLS: pip install 'twisted[tls]'"
        ) from error
    except Exception as error:
        raise usage.UsageError(
            f"cannot use --{option} {description}: {_plainly(description, error)}"
        ) from error


def _plainly(description: str, error: Exception) -> str:
    told = str(error)
    if description.startswith(_SYSTEMD):
        return "systemd passed no such socket to this process"
    if number := re.search(r"invalid literal for int\(\).*: '(.*)'", told):
        return f"{number[1]!r} is not a number"
    if missing := re.search(r"missing .* argument: '(\w+)'", told):
        return f"its {missing[1]} is missing, as in {description}:..."
    if unknown := re.search(r"unexpected keyword argument '(\w+)'", told):
        return f"this kind of endpoint has no {unknown[1]!r}"
    return getattr(error, "strerror", None) or told


def check_start(options: Chosen) -> None:
    """Make sure that a server with these options could start now.

    Raises:
        usage.UsageError: why not.
    """
    endpoints = [*options.endpoints, *options.web_endpoints]
    if options["metrics"] is not None:
        address, port = options["metrics"]
        endpoints.append(tcp_endpoint(port, address))
    held = successor.held()
    for description in endpoints:
        if description.startswith(_SYSTEMD) or description in held:
            continue
        failures: list[Failure] = []
        endpoint = serverFromString(_Probe(), below_tls(description) or description)
        endpoint.listen(Factory()).addErrback(failures.append)
        for failure in failures:
            raise usage.UsageError(_VALID_BUT + cannot_listen(description, failure.value))
    database = options.database
    if database is not None and str(database) not in held and is_held(database):
        raise usage.UsageError(f"{_VALID_BUT}another server is using the database {database}")
    if options.postgres is not None:
        _check_postgres(options.postgres)
    transcript = options["transcript"]
    if transcript not in (None, "-"):
        _check_file(Path(transcript), "cannot write --transcript")


def check_database(path: Path) -> None:
    """Make sure that a database can be used or created.

    Raises:
        usage.UsageError: why not.
    """
    if path.exists():
        try:
            open_to_read(path, oldest=0).close()  # the server brings it up to date
        except Unusable as error:
            raise usage.UsageError(str(error)) from error
    _check_file(path, "cannot use the database")


def check_folder(path: Path) -> None:
    """Make sure that the folder for people's files can be used or created.

    Raises:
        usage.UsageError: why not.
    """
    if path.exists() and not path.is_dir():
        raise usage.UsageError(f"cannot use the folder {path}: it is a file")
    _check_file(path, "cannot use the folder")


def check_psycopg() -> None:
    """Make sure that there is what connects to PostgreSQL.

    Raises:
        usage.UsageError: there is not.
    """
    try:
        import psycopg  # noqa: F401 - an extra, which fails without libpq too
    except ImportError as error:
        raise usage.UsageError(
            "--db postgresql://... needs psycopg: pip install 'psycopg[binary]'"
        ) from error


def _check_postgres(url: str) -> None:
    from twisted_chat.stores.postgres.connection import check  # an extra

    try:
        is_used = check(url)
    except Unusable as error:
        raise usage.UsageError(_VALID_BUT + str(error)) from error
    if is_used:
        raise usage.UsageError(f"{_VALID_BUT}a command is alone with the database just now")


def check_files_of_twistd(twistd: Mapping[str, Any]) -> None:
    """Make sure that twistd can write its files, since it fails with a traceback.

    Raises:
        usage.UsageError: why not.
    """
    folder = Path(twistd["rundir"])
    is_daemon = not twistd["nodaemon"]
    log = twistd["logfile"] or ("twistd.log" if is_daemon else "-")
    if twistd["pidfile"]:
        _check_file(folder / twistd["pidfile"], "cannot write")
    if log != "-" and not twistd.get("syslog"):
        _check_file(folder / log, "cannot write")


def _check_file(path: Path, cannot: str) -> None:
    try:
        if path.exists():
            _check_writable(path)
        else:
            _check_writable(path.parent)
    except OSError as error:
        raise usage.UsageError(f"{cannot} {path}: {error.strerror}") from error


def _check_writable(path: Path) -> None:
    path.stat()  # says best why there is none
    if not os.access(path, os.W_OK):
        raise PermissionError(0, f"no permission to write to {path.absolute()}")
