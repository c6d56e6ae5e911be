"""Batches of commands: one batch, one round trip, raw replies.

The rest of the package has no other way to Redis. The commands of every poll are encoded once
(:class:`Packed`) and sent again unchanged.
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
from runqy_tui.redis.wire.error_translation import concerns_every_command, translate
from runqy_tui.redis.wire.fast_connection import FastConnection
from runqy_tui.redis.wire.replies import Reply, ReplySlot, unparsed

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from runqy_tui.redis.connecting.target import RedisTarget
    from runqy_tui.redis.wire.fast_connection import ReplyStream

_T = TypeVar("_T")
_REPLIES_PER_TURN = 100
"""Replies read before the event loop runs other tasks: a large batch must not freeze the screen."""


@dataclass(frozen=True, slots=True)
class Packed:
    """Encoded commands, and the number of their replies.

    ``wires``, ``keys`` and ``names`` hold each command by itself: in a cluster the key decides the
    node, and ``None`` is a command without a key.
    """

    wire: bytes
    count: int
    wires: tuple[bytes, ...]
    keys: tuple[bytes | None, ...]
    names: tuple[str, ...]


def packed_for(key: bytes, *patterns: Pattern) -> Packed:
    """Encode one command per pattern, all for the same key."""
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
        """All commands in wire form."""
        return b"".join([part.wire for part in self.parts])

    def packed(self) -> Packed:
        """The commands so far as one group, to be joined to later batches."""
        return Packed(
            self.wire(),
            self.count,
            tuple(wire for part in self.parts for wire in part.wires),
            tuple(key for part in self.parts for key in part.keys),
            tuple(name for part in self.parts for name in part.names),
        )


class Connection(Protocol):
    """The part of a redis-py connection that is used."""

    async def send_packed_command(self, command: list[bytes], check_health: bool = ...) -> None:
        """Write commands in wire form."""

    async def read_response(self, *, timeout: float) -> Any:  # noqa: ASYNC109
        """Read one reply; raises ResponseError if it is an error."""

    async def disconnect(self, nowait: bool = ...) -> None:
        """Close the socket."""

    def register_connect_callback(self, callback: Callable[[Connection], Awaitable[None]]) -> None:
        """Call a bound method whenever this connection is established again."""


class Pool(Protocol):
    """The part of a redis-py connection pool that is used."""

    async def get_connection(self) -> Connection:
        """Wait for a free connection, and connect it."""

    async def release(self, connection: Any) -> None:
        """Return a connection to the pool."""

    async def aclose(self) -> None:
        """Close all connections."""


class RedisLink(Protocol):
    """A link to one deployment: a server, a primary behind Sentinels, or a cluster.

    ``round_trips`` counts them; requests to several nodes at the same time are one. ``epoch``
    changes whenever a connection is established again: what was learned of the server (its
    version, for example) may no longer hold.
    """

    round_trips: int
    epoch: int

    @property
    def target(self) -> RedisTarget:
        """The target of the link: the user knows the deployment by its address."""
        ...

    @property
    def topology(self) -> Topology:
        """The servers that are used at present."""
        ...

    async def trip(self, batch: Batch) -> list[Reply]:
        """Send a batch and read every reply: one round trip, none for an empty batch.

        The reply to a command that Redis refuses is its exception; so is that to a command for a
        cluster node that is down. Raises ``ConnectionFailedError`` or ``AccessDeniedError`` if
        nothing answers.
        """
        ...

    async def close(self) -> None:
        """Close every connection; later requests open no new one."""
        ...


class NodeLink:
    """Connections to one server. Without ``use_fast`` redis-py reads the replies, to compare."""

    def __init__(self, pool: Pool, target: RedisTarget) -> None:
        self._target = target
        self.round_trips = 0
        self.epoch = 0
        self.use_fast = True
        self._closed = False
        self._has_answered = False
        self._pool = pool
        self._named: WeakSet[Connection] = WeakSet()

    @property
    def target(self) -> RedisTarget:
        """Where the server is."""
        return self._target

    @property
    def topology(self) -> Topology:
        """Empty: there is only the server itself."""
        return Topology()

    async def trip(self, batch: Batch, incoming: ReplyStream | None = None) -> list[Reply]:
        """Send a batch and read every reply; see :meth:`RedisLink.trip`.

        The replies are added to ``incoming``, as they arrive where that is possible. Raises
        ``ConnectionFailedError`` or ``AccessDeniedError`` if the server does not answer.
        """
        if not batch.count:
            return []
        self._refuse_when_closed()
        try:
            replies = await self._exchange(batch, incoming)
        except asyncio.CancelledError:
            self.epoch += 1  # what is read once per connection was not read
            raise
        except (RedisError, OSError) as error:
            self.epoch += 1
            fault = translate(error, self._target, has_answered=self._has_answered)
        else:
            if incoming is not None and replies is not incoming.replies:
                incoming.extend(replies)
            return replies
        raise fault from None

    async def _exchange(self, batch: Batch, incoming: ReplyStream | None) -> list[Reply]:
        connection = await self._pool.get_connection()
        try:
            self._refuse_when_closed()  # it may have been closed while this connection was opened
            wire = batch.wire()
            extra = 0 if connection in self._named else 1
            if extra:
                wire = encode("CLIENT", "SETNAME", self._target.client_name) + wire
            at_once = None if extra else incoming
            replies = await self._send(connection, wire, batch.count + extra, at_once)
            self._has_answered = True
            if extra:
                self._mark_named(connection)
            # A name is optional: a refusal of it changes nothing.
            return replies[extra:] if extra else replies
        except BaseException:
            # Its unread replies would be taken for those of the next batch.
            await connection.disconnect(nowait=True)
            raise
        finally:
            await self._pool.release(connection)

    async def _send(
        self, connection: Connection, wire: bytes, count: int, incoming: ReplyStream | None
    ) -> list[Reply]:
        timeout_s = self._target.timeout
        fast = FastConnection.of(connection) if self.use_fast else None
        if fast is not None:
            self.round_trips += 1
            return await fast.exchange(wire, count, timeout_s, incoming)
        await connection.send_packed_command([wire], check_health=False)
        self.round_trips += 1
        return await _read_all(connection, count, timeout_s)

    def _mark_named(self, connection: Connection) -> None:
        self._named.add(connection)
        connection.register_connect_callback(self._forget_name)

    async def _forget_name(self, connection: Connection) -> None:
        self._named.discard(connection)
        self.epoch += 1

    async def close(self) -> None:
        """Close every connection; later requests open no new one."""
        self._closed = True
        await self._pool.aclose()

    def _refuse_when_closed(self) -> None:
        if self._closed:
            raise ConnectionFailedError(
                f"The connection to Redis at {self._target.address} is closed."
            )


async def _read(connection: Connection) -> Reply:
    try:
        # Without a timer of its own: one per reply would cost more than reading it.
        reply: Reply = await connection.read_response(timeout=math.inf)
    except ResponseError as error:
        if concerns_every_command(error):
            raise
        return error
    return reply


async def _read_all(connection: Connection, count: int, timeout_s: float) -> list[Reply]:
    """Read replies, waiting at most ``patience`` seconds for any hundred of them."""
    replies: list[Reply] = []
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(timeout_s) as timer:
        for index in range(count):
            if index % _REPLIES_PER_TURN == _REPLIES_PER_TURN - 1:
                await asyncio.sleep(0)
                timer.reschedule(loop.time() + timeout_s)
            replies.append(await _read(connection))
    return replies


class OpenNode(Protocol):
    """Makes links to servers."""

    def __call__(self, target: RedisTarget) -> NodeLink:
        """A link to one server; nothing is connected before its first round trip."""
        ...
