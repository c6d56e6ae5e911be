"""What every read beside the polls needs: the link, Redis's clock, what the polls learned."""

from __future__ import annotations

from time import time

from redis.exceptions import ResponseError

from runqy_tui.model import Dialect, QueueKey
from runqy_tui.model.errors import ConnectionFailedError
from runqy_tui.redis.polling.poll_memory import PollMemory
from runqy_tui.redis.wire.error_translation import translate
from runqy_tui.redis.wire.replies import Reply, UnreachableError, clock, refused, wrong_type
from runqy_tui.redis.wire.transport import Batch, RedisLink
from runqy_tui.text.safe import decode


class ReadContext:
    """The link, a limit in bytes for large values, and the memory of the polls."""

    def __init__(self, link: RedisLink, memory: PollMemory, limit: int) -> None:
        self.link = link
        self.limit = limit
        self._memory = memory

    def reading_up_to(self, limit: int) -> ReadContext:
        """The same context with another limit for a value, in bytes."""
        return ReadContext(self.link, self._memory, limit)

    async def trip(self, batch: Batch) -> list[Reply]:
        """Send a batch in one round trip and return its replies."""
        return await self.link.trip(batch)

    def moment(self, time_reply: Reply) -> float:
        """The moment as of which ages are computed, from a TIME reply or the best substitute."""
        redis_s = clock(time_reply)
        if redis_s is None:
            redis_s = self._memory.now()
        return self._memory.to_moment(time() if redis_s is None else redis_s)

    def today(self) -> str | None:
        """The UTC day by Redis's clock, ``None`` before the first poll."""
        return self._memory.today()

    def dialect(self, queue: QueueKey) -> Dialect | None:
        """Who consumes a queue, as the polls saw it; ``None`` where that is not known."""
        return self._memory.dialect(queue)

    def known_queues(self) -> set[QueueKey]:
        """Every queue with braces that the polls have met."""
        return {key for key in self._memory.queues if key.braced}

    def describe_error(self, reply: Reply, key: bytes) -> str | None:
        """Return one line about a reply that is an error, else None.

        The next poll warns of a key of the wrong type.
        """
        if not isinstance(reply, ResponseError):
            return None
        if wrong_type(reply):
            self._memory.pending_errors[key] = reply
            return f"{decode(key)} has another type than it should: it cannot be read"
        return f"{decode(key)} cannot be read: {reply}"

    def require(self, reply: Reply) -> Reply:
        """Return a reply that nothing can replace.

        Raises ``ConnectionFailedError`` where its node is down, ``AccessDeniedError`` where the
        ACL forbids the command.
        """
        if isinstance(reply, UnreachableError):
            raise ConnectionFailedError(f"{reply}.")
        return self.require_access(reply)

    def require_access(self, reply: Reply) -> Reply:
        """Return a reply. Raises ``AccessDeniedError`` where the ACL forbids the command."""
        if refused(reply) and isinstance(reply, Exception):
            raise translate(reply, self.link.target)
        return reply


class TopicReads:
    """Base of the classes that hold the reads of one topic; ``RedisReader`` inherits from each."""

    def __init__(self, context: ReadContext) -> None:
        self._context = context
