"""What every question shares: the link, Redis's clock, and what the polls have learned."""

from __future__ import annotations

from collections.abc import Callable
from time import time

from redis.exceptions import ResponseError

from runqy_tui.model import Dialect, QueueKey
from runqy_tui.model.errors import ConnectionFailedError
from runqy_tui.redis.polling.overview import Overview
from runqy_tui.redis.wire.error_translation import translate
from runqy_tui.redis.wire.replies import Reply, UnreachableError, clock, refused, wrong_type
from runqy_tui.redis.wire.transport import Batch, RedisLink
from runqy_tui.text.safe import decode


class ReadContext:
    """Hands a question what it needs, and nothing of how a poll works."""

    def __init__(
        self, link: RedisLink, overview: Overview, to_moment: Callable[[float], float], limit: int
    ) -> None:
        self.link = link
        self.limit = limit
        self._overview = overview
        self._to_moment = to_moment

    def reading_up_to(self, limit: int) -> ReadContext:
        """The same with another limit for a value, in bytes."""
        return ReadContext(self.link, self._overview, self._to_moment, limit)

    async def trip(self, batch: Batch) -> list[Reply]:
        """One round trip."""
        return await self.link.trip(batch)

    def moment(self, time_reply: Reply) -> float:
        """The moment by which ages are judged, from a TIME reply or the best substitute."""
        told = clock(time_reply)
        if told is None:
            told = self._overview.now()
        return self._to_moment(time() if told is None else told)

    def today(self) -> str | None:
        """The UTC day by Redis's clock, ``None`` before the first poll."""
        return self._overview.today()

    def dialect(self, queue: QueueKey) -> Dialect | None:
        """Who consumes a queue, as the polls saw it."""
        if not queue.braced:
            return Dialect.DOCUMENTED
        memory = self._overview.queues.known.get(queue)
        return memory.dialect if memory else None

    def known_queues(self) -> set[QueueKey]:
        """Every queue the polls have met, with braces."""
        return {key for key in self._overview.queues.known if key.braced}

    def doubt(self, reply: Reply, key: bytes) -> str | None:
        """What is wrong where a reply is an error: the next poll also warns of such a key."""
        if not isinstance(reply, ResponseError):
            return None
        if wrong_type(reply):
            self._overview.doubts[key] = reply
            return f"{decode(key)} has another type than it should: it cannot be read"
        return f"{decode(key)} cannot be read: {reply}"

    def must(self, reply: Reply) -> Reply:
        """Raise where nothing can replace a reply: the ACL forbids it, or its node is down."""
        if isinstance(reply, UnreachableError):
            raise ConnectionFailedError(f"{reply}.")
        return self.allowed(reply)

    def allowed(self, reply: Reply) -> Reply:
        """Raise ``AccessDeniedError`` where the ACL forbids what nothing can replace."""
        if refused(reply) and isinstance(reply, Exception):
            raise translate(reply, self.link.target)
        return reply
