"""One batch of commands, one round trip, raw replies.

The rest of the package knows no other way to speak to Redis. What is asked at every poll is
encoded once (:class:`Packed`) and sent again as it stands.
"""

from __future__ import annotations

import asyncio
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, overload
from weakref import WeakSet

from redis.exceptions import RedisError, ResponseError

from runqy_tui.model import Topology
from runqy_tui.model.errors import ConnectionFailedError
from runqy_tui.redis.wire.command_encoding import Pattern, encode, key_of
from runqy_tui.redis.wire.error_translation import concerns_all, translate
from runqy_tui.redis.wire.fast_connection import FastConnection
from runqy_tui.redis.wire.replies import Reply, ReplySlot, unparsed

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from runqy_tui.redis.connecting.target import RedisTarget
    from runqy_tui.redis.wire.fast_connection import ReplyStream

_T = TypeVar("_T")
_BREATH = 100
"""Replies read before other tasks get a turn: a large batch must not freeze a screen."""


@dataclass(frozen=True, slots=True)
class Packed:
    """Commands in wire form, and how many replies they bring.

    ``wires`` and ``keys`` tell them apart for whoever sends each where it belongs: in a cluster
    the key decides the node, and ``None`` is a command without one. ``names`` are the commands'.
    """

    wire: bytes
    count: int
    wires: tuple[bytes, ...]
    keys: tuple[bytes | None, ...]
    names: tuple[str, ...]


def packed_for(key: bytes, *patterns: Pattern) -> Packed:
    """One command by each pattern, all about the same key."""
    wires = tuple([pattern.encode(key) for pattern in patterns])
    count = len(wires)
    names = tuple([pattern.name for pattern in patterns])
    return Packed(b"".join(wires), count, wires, (key,) * count, names)


class Batch:
    """Commands that travel together, and the places of their replies."""

    __slots__ = ("count", "parts")

    def __init__(self) -> None:
        self.parts: list[Packed] = []
        self.count = 0

    @overload
    def ask(self, *args: bytes | str | int) -> ReplySlot[Reply]: ...

    @overload
    def ask(self, *args: bytes | str | int, parse: Callable[[Reply], _T]) -> ReplySlot[_T]: ...

    def ask(
        self, *args: bytes | str | int, parse: Callable[[Reply], Any] = unparsed
    ) -> ReplySlot[Any]:
        """Add one command and return the slot of its reply.

        Raises ``NotAllowedError`` where the command is none that a monitor may send.
        """
        wire = encode(*args)
        self.parts.append(Packed(wire, 1, (wire,), (key_of(*args),), (str(args[0]),)))
        slot = ReplySlot(self.count, parse)
        self.count += 1
        return slot

    def join(self, packed: Packed) -> slice:
        """Add commands that were encoded before; ``replies[…]`` of the result are their replies."""
        self.parts.append(packed)
        start = self.count
        self.count += packed.count
        return slice(start, self.count)

    def copy(self) -> Batch:
        """The same commands, to which others may be added."""
        copied = Batch()
        copied.parts, copied.count = list(self.parts), self.count
        return copied

    def wire(self) -> bytes:
        """All of them as one Redis reads them."""
        return b"".join([part.wire for part in self.parts])

    def packed(self) -> Packed:
        """The commands so far, to be sent again and again."""
        return Packed(
            self.wire(),
            self.count,
            tuple(wire for part in self.parts for wire in part.wires),
            tuple(key for part in self.parts for key in part.keys),
            tuple(name for part in self.parts for name in part.names),
        )


class Connection(Protocol):
    """What is used of a connection of redis-py."""

    async def send_packed_command(self, command: list[bytes], check_health: bool = ...) -> None:
        """Write commands in wire form."""

    async def read_response(self, *, timeout: float) -> Any:  # noqa: ASYNC109
        """Read one reply, raising where it is an error."""

    async def disconnect(self, nowait: bool = ...) -> None:
        """Close the socket."""

    def register_connect_callback(self, callback: Callable[[Connection], Awaitable[None]]) -> None:
        """Have a bound method called whenever this connection is made again."""


class Pool(Protocol):
    """What is used of a connection pool of redis-py."""

    async def get_connection(self) -> Connection:
        """A connected connection, waiting for a free one."""

    async def release(self, connection: Any) -> None:
        """Give a connection back."""

    async def aclose(self) -> None:
        """Close all of them."""


class RedisLink(Protocol):
    """The way to one deployment, whatever it is made of.

    ``round_trips`` counts for whoever wants to know; what several nodes answer at the same time
    is one. ``epoch`` changes whenever a connection had to be made again: what was learned of the
    server (its version, say) may no longer hold.
    """

    round_trips: int
    epoch: int

    @property
    def target(self) -> RedisTarget:
        """What was asked for: its address is what the user knows the deployment by."""
        ...

    @property
    def whereabouts(self) -> Topology:
        """Who answers at present."""
        ...

    async def trip(self, batch: Batch) -> list[Reply]:
        """Send a batch and read every reply: one round trip, none for an empty batch.

        A command that Redis refuses gives its exception as its reply; so does a command for a
        node of a cluster that is down. Raises ``ConnectionFailedError`` or ``AccessDeniedError``
        where nothing answers.
        """
        ...

    async def close(self) -> None:
        """Close every connection; whoever asks later opens no new one."""
        ...


class NodeLink:
    """Connections to one server. Without ``use_fast`` redis-py reads the replies, to compare."""

    def __init__(self, pool: Pool, target: RedisTarget) -> None:
        self._target = target
        self.round_trips = 0
        self.epoch = 0
        self.use_fast = True
        self._closed = False
        self._met = False
        self._pool = pool
        self._greeted: WeakSet[Connection] = WeakSet()

    @property
    def target(self) -> RedisTarget:
        """Where the server is."""
        return self._target

    @property
    def whereabouts(self) -> Topology:
        """Always the server itself."""
        return Topology()

    async def trip(self, batch: Batch, incoming: ReplyStream | None = None) -> list[Reply]:
        """Send a batch and read every reply; see :meth:`RedisLink.trip`.

        The replies are added to ``incoming``, as they arrive where that is possible.
        """
        if not batch.count:
            return []
        self._refuse_when_closed()
        try:
            replies = await self._exchange(batch, incoming)
        except asyncio.CancelledError:
            self.epoch += 1  # what was asked for once per connection was not learned
            raise
        except (RedisError, OSError) as error:
            self.epoch += 1
            fault = translate(error, self._target, met=self._met)
        else:
            if incoming is not None and replies is not incoming.replies:
                incoming.extend(replies)
            return replies
        raise fault from None

    async def _exchange(self, batch: Batch, incoming: ReplyStream | None) -> list[Reply]:
        connection = await self._pool.get_connection()
        try:
            self._refuse_when_closed()  # it may have been closed while this one was opened
            wire = batch.wire()
            extra = 0 if connection in self._greeted else 1
            if extra:
                wire = encode("CLIENT", "SETNAME", self._target.client_name) + wire
            at_once = None if extra else incoming
            replies = await self._send(connection, wire, batch.count + extra, at_once)
            self._met = True
            if extra:
                self._greet(connection)
            # A name is optional: a refusal of it changes nothing.
            return replies[extra:] if extra else replies
        except BaseException:
            # The unread replies would be taken for those of the next batch: close it.
            await connection.disconnect(nowait=True)
            raise
        finally:
            await self._pool.release(connection)

    async def _send(
        self, connection: Connection, wire: bytes, count: int, incoming: ReplyStream | None
    ) -> list[Reply]:
        patience = self._target.timeout
        fast = FastConnection.of(connection) if self.use_fast else None
        if fast is not None:
            self.round_trips += 1
            return await fast.exchange(wire, count, patience, incoming)
        await connection.send_packed_command([wire], check_health=False)
        self.round_trips += 1
        return await _read_all(connection, count, patience)

    def _greet(self, connection: Connection) -> None:
        self._greeted.add(connection)
        connection.register_connect_callback(self._forget)

    async def _forget(self, connection: Connection) -> None:
        self._greeted.discard(connection)
        self.epoch += 1

    async def close(self) -> None:
        """Close every connection; whoever asks later opens no new one."""
        self._closed = True
        await self._pool.aclose()

    def _refuse_when_closed(self) -> None:
        if self._closed:
            raise ConnectionFailedError(
                f"The connection to Redis at {self._target.address} is closed."
            )


async def _read(connection: Connection) -> Reply:
    try:
        # Without a timer of its own: one per reply would cost more than the reading.
        reply: Reply = await connection.read_response(timeout=math.inf)
    except ResponseError as error:
        if concerns_all(error):
            raise
        return error
    return reply


async def _read_all(connection: Connection, count: int, patience: float) -> list[Reply]:
    """Read replies, waiting at most ``patience`` seconds for any hundred of them."""
    replies: list[Reply] = []
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(patience) as timer:
        for index in range(count):
            if index % _BREATH == _BREATH - 1:
                await asyncio.sleep(0)
                timer.reschedule(loop.time() + patience)
            replies.append(await _read(connection))
    return replies


class OpenNode(Protocol):
    """Makes links to servers."""

    def __call__(self, target: RedisTarget) -> NodeLink:
        """A link to one server; nothing is connected before its first round trip."""
        ...
