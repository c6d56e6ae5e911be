"""The lists that a search goes through."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from redis.exceptions import ResponseError

from runqy_tui.model import QueueKey, TaskState
from runqy_tui.model.search_query import SearchQuery
from runqy_tui.redis import keys
from runqy_tui.redis.polling.indexes import QUEUES_PER_STEP
from runqy_tui.redis.polling.queue_state import MAX_GROUPS
from runqy_tui.redis.read_context import ReadContext
from runqy_tui.redis.search.list_cursor import ListCursor
from runqy_tui.redis.wire.replies import Reply, integer, refused, scan_page
from runqy_tui.redis.wire.transport import Batch
from runqy_tui.text.safe import decode

_Command = tuple[bytes | str | int, ...]
_PER_TRIP = 2_000
_MOST_NAMED = 3


@dataclass(slots=True)
class SearchList:
    """One list of a state, or one group, and the position of the search in it."""

    queue: QueueKey
    state: TaskState
    key: bytes
    cursor: ListCursor
    searched: int = 0

    @property
    def task_prefix(self) -> bytes:
        """The prefix of its tasks' keys, before the id."""
        return keys.task(self.queue, "")


class _Spot(NamedTuple):
    queue: QueueKey
    state: TaskState
    key: bytes

    @property
    def command(self) -> str:
        return "LLEN" if self.state in keys.LIST_STATES else "ZCARD"


class ScopeSurvey:
    """Finds and counts the lists. ``notes``: what cannot be searched, one line each."""

    def __init__(
        self, context: ReadContext, search: SearchQuery, known: Collection[QueueKey]
    ) -> None:
        self._context = context
        self._search = search
        self._known = known
        self._problems: list[str] = []
        self.now = 0.0

    @property
    def notes(self) -> tuple[str, ...]:
        """The lists that could not be read: the first few, and the number of the others."""
        more = len(self._problems) - _MOST_NAMED
        rest = (f"{more:,} more lists cannot be read",) if more > 0 else ()
        return (*self._problems[:_MOST_NAMED], *rest)

    def note_error(self, reply: Reply, key: bytes) -> bool:
        """Note a list that cannot be read; false if it can.

        Raises ``AccessDeniedError`` if the ACL forbids to read any.
        """
        if not isinstance(reply, ResponseError):
            return False
        if refused(reply):
            self._context.require_access(reply)
        problem = self._context.describe_error(reply, key)
        self._problems.append(problem or f"{decode(key)} cannot be read")
        return True

    async def read_lists(self) -> list[SearchList]:
        """Read which lists are not empty, the shortest first.

        Raises ``ConnectionFailedError`` or ``AccessDeniedError``.
        """
        queues = sorted(await self._queues(), key=lambda queue: (queue.name, not queue.braced))
        states = self._search.states or tuple(TaskState)
        spots = [
            _Spot(queue, state, keys.state_key(queue, state))
            for queue in queues
            for state in states
            if state is not TaskState.AGGREGATING
        ]
        if TaskState.AGGREGATING in states:
            spots += await self._groups(queues)
        lengths = await self._ask_each([(spot.command, spot.key) for spot in spots])
        found: list[SearchList] = []
        for spot, reply in zip(spots, lengths, strict=True):
            length = integer(reply)
            if not self.note_error(reply, spot.key) and length:
                cursor = ListCursor(length, scored=spot.state not in keys.LIST_STATES)
                found.append(SearchList(spot.queue, spot.state, spot.key, cursor))
        return sorted(found, key=lambda source: source.cursor.length)

    async def _queues(self) -> set[QueueKey]:
        batch = Batch()
        time_slot = batch.ask("TIME")
        chosen = set(self._search.queues)
        if chosen:
            self.now = self._context.moment((await self._context.trip(batch))[time_slot])
            return chosen
        names = batch.ask("SSCAN", keys.QUEUES, 0, "COUNT", QUEUES_PER_STEP, parse=scan_page)
        replies = await self._context.trip(batch)
        self.now = self._context.moment(replies[time_slot])
        self._context.require(replies[names])
        page = names.value(replies)
        self.note_error(replies[names], keys.QUEUES)
        if page is not None and page[0]:
            self._problems.append(f"asynq:queues is long: {len(page[1]):,} queues were searched")
        return {*self._known, *(QueueKey(decode(name)) for name in (page[1] if page else ()))}

    async def _groups(self, queues: Collection[QueueKey]) -> list[_Spot]:
        sources = [(queue, keys.queue_prefix(queue) + b"groups") for queue in queues]
        asked: list[_Command] = [("SSCAN", key, 0, "COUNT", MAX_GROUPS) for _, key in sources]
        spots: list[_Spot] = []
        for (queue, key), reply in zip(sources, await self._ask_each(asked), strict=True):
            page = None if self.note_error(reply, key) else scan_page(reply)
            names = sorted(set(page[1]))[:MAX_GROUPS] if page else []
            if page is not None and page[0]:
                self._problems.append(f"{decode(key)} is long: {len(names):,} groups were searched")
            spots += [
                _Spot(queue, TaskState.AGGREGATING, keys.group(queue, decode(name)))
                for name in names
            ]
        return spots

    async def _ask_each(self, commands: list[_Command]) -> list[Reply]:
        replies: list[Reply] = []
        for part in _parts(commands):
            batch = Batch()
            for command in part:
                batch.ask(*command)
            replies += await self._context.trip(batch)
        return replies


def _parts(
    commands: list[_Command],
) -> Iterator[list[_Command]]:
    for start in range(0, len(commands), _PER_TRIP):
        yield commands[start : start + _PER_TRIP]
