"""Sends deliveries to a gateway and is the upstream behind it, in one thread and one epoll loop."""

import selectors
import socket
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Self

from deliveries import Kind

Address = tuple[str, int]

LOOPBACK = "127.0.0.1"
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok"
# How long any one `send` may take, under valgrind too.
PATIENCE = 60.0


class Unexpected(Exception):
    """The gateway did something else than what is to be measured."""


@dataclass(frozen=True)
class Load:
    """How deliveries are sent."""

    kind: Kind
    connections: int = 1
    # Deliveries a second at most; None: the next one as soon as one is answered (a closed loop).
    rate: float | None = None


class Messages:
    """Cuts the bytes of one connection into messages, by their Content-Length."""

    def __init__(self) -> None:
        self.bytes = b""

    def add(self, received: bytes) -> Iterator[bytes]:
        """Yields the head, in lower case, of each message that is complete now."""
        self.bytes += received
        while (head_end := self.bytes.find(b"\r\n\r\n")) >= 0:
            head = self.bytes[:head_end].lower()
            end = head_end + 4 + content_length(head)
            if len(self.bytes) < end:
                return
            self.bytes = self.bytes[end:]
            yield head


def content_length(head: bytes) -> int:
    """What a head in lower case announces."""
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name == b"content-length":
            return int(value)
    raise Unexpected(f"a message without Content-Length: {head!r}")


class Traffic:
    """Both ends of a gateway. No socket of it outlives the `with` block."""

    def __init__(self) -> None:
        self.selector = selectors.DefaultSelector()
        self.sockets: set[socket.socket] = set()
        self.idle: deque[socket.socket] = deque()
        self.answered = 0
        self.forwarded = 0
        self.listener = socket.create_server((LOOPBACK, 0), backlog=128)
        self._watch(self.listener, self._accept)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for each in list(self.sockets):
            self._close(each)
        self.selector.close()

    @property
    def upstream(self) -> Address:
        """Where the gateway has to forward to."""
        host, port = self.listener.getsockname()
        return host, port

    def send(self, gateway: Address, numbers: range, load: Load) -> None:
        """Sends the deliveries of these numbers, and returns once each was answered as it must be."""
        waiting = deque(load.kind.make(number) for number in numbers)
        answered, forwarded = self.answered + len(numbers), self.forwarded
        for _ in range(load.connections):
            self._connect(gateway, load.kind)
        due = time.monotonic()
        deadline = due + PATIENCE
        while self.answered < answered:
            now = time.monotonic()
            if now > deadline:
                raise Unexpected(f"{answered - self.answered} deliveries were not answered in {PATIENCE:.0f} s")
            while waiting and self.idle and now >= due:
                self.idle.popleft().sendall(waiting.popleft())
                due = now + (1 / load.rate if load.rate else 0)
            can_send = waiting and self.idle
            self._turn(min(deadline, due) - now if can_send else deadline - now)
        while self.idle:
            self._close(self.idle.popleft())
        must = len(numbers) if load.kind.genuine else 0
        if self.forwarded - forwarded != must:
            raise Unexpected(f"{self.forwarded - forwarded} deliveries were forwarded instead of {must}")

    def _turn(self, seconds: float) -> None:
        for key, _ in self.selector.select(max(seconds, 0)):
            key.data()

    def _connect(self, gateway: Address, kind: Kind) -> None:
        """Opens a connection on which one delivery at a time is sent."""
        connection = socket.create_connection(gateway)

        def answered(head: bytes) -> None:
            if not head.startswith(b"http/1.1 %d " % kind.status):
                raise Unexpected(f"the gateway answered {head!r} instead of {kind.status}")
            self.answered += 1
            if b"\r\nconnection: close" in head:
                self._close(connection)
                self._connect(gateway, kind)
            else:
                self.idle.append(connection)

        self._converse(connection, answered)
        self.idle.append(connection)

    def _accept(self) -> None:
        connection, _ = self.listener.accept()

        def arrived(_: bytes) -> None:
            self.forwarded += 1
            connection.sendall(ANSWER)

        self._converse(connection, arrived)

    def _converse(self, connection: socket.socket, complete: Callable[[bytes], None]) -> None:
        """Has `complete` called with the head of each message that arrives."""
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        messages = Messages()

        def ready() -> None:
            received = connection.recv(1 << 16)
            for head in messages.add(received):
                complete(head)
            if not received:
                self._close(connection)

        self._watch(connection, ready)

    def _watch(self, connection: socket.socket, ready: Callable[[], None]) -> None:
        self.sockets.add(connection)
        self.selector.register(connection, selectors.EVENT_READ, ready)

    def _close(self, connection: socket.socket) -> None:
        self.selector.unregister(connection)
        self.sockets.remove(connection)
        connection.close()
