"""Listening sockets that several processes share, or that systemd or a program before has opened.

They are opened by one process, and handed to others when those are started. Whoever closes them
must not shut them down, and a UNIX socket's file belongs to whoever made it.
"""

import os
import re
import socket
from pathlib import Path
from typing import Any

from twisted.internet import tcp, unix
from twisted.internet.interfaces import IProtocolFactory


class Adopting:
    """A reactor that leaves the file of a UNIX socket alone that it has not opened itself.

    Twisted's own would set the file's mode, and delete it at the end.

    Args:
        reactor: what does everything else.
    """

    def __init__(self, reactor: Any) -> None:
        self._reactor = reactor

    def __getattr__(self, name: str) -> Any:
        return getattr(self._reactor, name)

    def adoptStreamPort(self, descriptor: int, family: int, factory: IProtocolFactory) -> Any:
        """See `IReactorSocket`."""
        if family != socket.AF_UNIX:
            return self._reactor.adoptStreamPort(descriptor, family, factory)
        port = _UnixPort._fromListeningDescriptor(self._reactor, descriptor, factory)
        port.startListening()
        return port


class Holding:
    """A reactor that opens a port, and leaves it to other processes to accept its connections.

    Args:
        reactor: what does everything else.
        descriptors: gets those of the sockets.
    """

    def __init__(self, reactor: Any, descriptors: list[int]) -> None:
        self._reactor = Adopting(reactor)
        self._descriptors = descriptors

    def __getattr__(self, name: str) -> Any:
        return getattr(self._reactor, name)

    def listenTCP(self, *place: Any, **more: Any) -> Any:
        """See `IReactorTCP`."""
        return self._hold(self._reactor.listenTCP(*place, **more))

    def listenSSL(self, *place: Any, **more: Any) -> Any:
        """See `IReactorSSL`."""
        return self._hold(self._reactor.listenSSL(*place, **more))

    def listenUNIX(self, *place: Any, **more: Any) -> Any:
        """See `IReactorUNIX`."""
        return self._hold(self._reactor.listenUNIX(*place, **more))

    def adoptStreamPort(self, *place: Any) -> Any:
        """See `IReactorSocket`."""
        return self._hold(self._reactor.adoptStreamPort(*place))

    def _hold(self, port: Any) -> Any:
        port.stopReading()
        self._descriptors.append(port.fileno())
        return port


class Inheriting:
    """A reactor that listens at an inherited socket, whatever it is asked to open.

    Args:
        reactor: what does everything else.
        descriptor: of the socket; it is closed when it is used.
    """

    def __init__(self, reactor: Any, descriptor: int) -> None:
        self._reactor = reactor
        self._descriptor = descriptor

    def __getattr__(self, name: str) -> Any:
        return getattr(self._reactor, name)

    def listenTCP(self, _: int, factory: IProtocolFactory, *__: Any, **___: Any) -> Any:
        """See `IReactorTCP`."""
        with socket.socket(fileno=self._descriptor) as inherited:
            inherited.setblocking(False)
            if inherited.family == socket.AF_UNIX:
                unix_port = _SharedUnixPort._fromListeningDescriptor
                port: Any = unix_port(self._reactor, inherited.fileno(), factory)
            else:
                port = _SharedPort._fromListeningDescriptor(
                    self._reactor, inherited.fileno(), inherited.family, factory
                )
        port.startListening()
        return port

    def listenUNIX(self, _: str, factory: IProtocolFactory, *__: Any, **___: Any) -> Any:
        """See `IReactorUNIX`."""
        return self.listenTCP(0, factory)

    def listenSSL(
        self, _: int, factory: IProtocolFactory, context: Any, *__: Any, **___: Any
    ) -> Any:
        """See `IReactorSSL`."""
        from twisted.protocols.tls import TLSMemoryBIOFactory  # an extra

        return self.listenTCP(0, TLSMemoryBIOFactory(context, False, factory))


class TakingOver(Inheriting):
    """A reactor that listens at the socket of the program that ran before in this process.

    Nobody else has it any more, and a UNIX socket's file is ours.
    """

    def listenTCP(self, _: int, factory: IProtocolFactory, *__: Any, **___: Any) -> Any:
        """See `IReactorTCP`."""
        with socket.socket(fileno=self._descriptor) as left:
            left.setblocking(False)
            port = tcp.Port._fromListeningDescriptor(
                self._reactor, left.fileno(), left.family, factory
            )
        port.startListening()
        return port

    def listenUNIX(
        self,
        _: str,
        factory: IProtocolFactory,
        backlog: int = 50,
        mode: int = 0o666,
        wantPID: int = 0,
    ) -> Any:
        """See `IReactorUNIX`."""
        with socket.socket(fileno=self._descriptor) as left:
            left.setblocking(False)
            port: Any = unix.Port._fromListeningDescriptor(self._reactor, left.fileno(), factory)
        port.backlog, port.mode, port.wantPID = backlog, mode, wantPID
        lock = Path(os.fsdecode(port._bindPath + b".lock"))
        lock.unlink(missing_ok=True)  # this process has it, and makes it again
        port.startListening()
        return port


def without_systemd(description: str) -> str:
    """An endpoint for a process that inherits the socket, which systemd passes to its parent."""
    return re.sub(r"systemd:.*", "tcp:0", description)


def without_socket_activation() -> dict[str, str]:
    """The environment for a process that systemd has passed nothing."""
    return {name: value for name, value in os.environ.items() if not name.startswith("LISTEN_")}


class _UnixPort(unix.Port):
    """An inherited UNIX socket, whose file is another's."""

    _shouldShutdown = False

    def startListening(self) -> None:
        """Leave the file alone, as if there were none."""
        self._bindPath = b"\0" + self._bindPath
        super().startListening()


class _OneAtATime:
    """Accepts one connection a turn, so that a process that is idle gets the next one."""

    @property
    def numberAccepts(self) -> int:
        return 1

    @numberAccepts.setter
    def numberAccepts(self, _: int) -> None:
        """What Twisted would accept at once."""


class _SharedPort(_OneAtATime, tcp.Port):
    """A TCP port that other processes accept from too."""


class _SharedUnixPort(_OneAtATime, _UnixPort):
    """A UNIX socket that other processes accept from too."""
