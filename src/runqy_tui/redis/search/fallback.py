"""Search without a script: reads ids, the sizes of their fields, and the fields not too large.

For Redis before 7.0, users without ``+eval_ro``, and lists without braces, whose tasks lie
anywhere in a cluster. Of a large field nothing is read here: only a script could cut it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from redis.exceptions import ResponseError

from runqy_tui.redis import keys
from runqy_tui.redis.read_context import ReadContext
from runqy_tui.redis.search.list_cursor import ANCHORS
from runqy_tui.redis.search.matcher import (
    VALUE_LIMIT,
    Candidate,
    CandidateChunk,
    Matcher,
    MatchValue,
)
from runqy_tui.redis.search.search_scope import SearchList
from runqy_tui.redis.task_reading.row_reading import RowEntry
from runqy_tui.redis.wire.replies import Reply, ReplySlot, data, integer, items, scored, strings
from runqy_tui.redis.wire.transport import Batch
from runqy_tui.text.safe import decode

_BYTES_PER_TRIP = 2 * 1024 * 1024
_RESULT = b"result"
_INSTEAD_OF_MSG = frozenset({b"type", b"payload"})


@dataclass(slots=True)
class _Task:
    entry: RowEntry
    key: bytes
    result_key: bytes | None
    sizes: dict[bytes, int] = field(default_factory=dict)
    values: dict[bytes, MatchValue] = field(default_factory=dict)

    def keep(self, name: bytes, reply: Reply) -> None:
        raw = data(reply)
        if raw is not None:
            self.values[name] = MatchValue(raw, max(self.sizes[name], len(raw)))


@dataclass(slots=True)
class _Window:
    length: int
    start: int | None
    tasks: list[_Task]


async def read_chunks(
    context: ReadContext, sources: Sequence[SearchList], matcher: Matcher, amounts: Sequence[int]
) -> list[CandidateChunk | ResponseError]:
    """Read one step of each list; the error where a list cannot be read.

    Raises ``ConnectionFailedError`` or ``AccessDeniedError`` if a task cannot be read.
    """
    batch = Batch()
    asked = []
    for source, amount in zip(sources, amounts, strict=True):
        first, final = source.cursor.window(amount)
        if source.cursor.scored:
            length = batch.ask("ZCARD", source.key)
            ids = batch.ask("ZREVRANGE", source.key, first, final, "WITHSCORES")
        else:
            length = batch.ask("LLEN", source.key)
            ids = batch.ask("LRANGE", source.key, first, final)
        asked.append((source, length, ids))
    replies = await context.trip(batch)
    windows = [_window(source, replies[length], replies[ids]) for source, length, ids in asked]
    tasks = [task for one in windows if isinstance(one, _Window) for task in one.tasks]
    if matcher.fields:
        await _read_sizes(context, tasks, matcher.fields)
        await _read_values(context, tasks)
    return [one if isinstance(one, ResponseError) else _chunk(one, matcher) for one in windows]


def _window(source: SearchList, length: Reply, reply: Reply) -> _Window | ResponseError:
    for answer in (length, reply):
        if isinstance(answer, ResponseError):
            return answer
    if source.cursor.scored:
        entries = [RowEntry(task_id, score) for task_id, score in scored(reply)]
    else:
        entries = [RowEntry(task_id) for task_id in strings(reply)]
    start = source.cursor.start_in([entry.task_id for entry in entries])
    fresh = [] if start is None else entries[start:]
    return _Window(integer(length) or 0, start, [_task(source, entry) for entry in fresh])


def _task(source: SearchList, entry: RowEntry) -> _Task:
    task_id = decode(entry.task_id)
    result_key = None if source.queue.braced else keys.result(task_id)
    return _Task(entry, keys.task(source.queue, task_id), result_key)


async def _read_sizes(context: ReadContext, tasks: list[_Task], fields: tuple[bytes, ...]) -> None:
    """Read the sizes of the fields; of those contained in ``msg`` only if a task has no ``msg``."""
    first = [name for name in fields if name not in _INSTEAD_OF_MSG]
    await _ask_sizes(context, tasks, first)
    bare = [task for task in tasks if b"msg" not in task.sizes]
    await _ask_sizes(context, bare, [name for name in fields if name in _INSTEAD_OF_MSG])


async def _ask_sizes(context: ReadContext, tasks: list[_Task], names: list[bytes]) -> None:
    batch = Batch()
    slots: list[tuple[_Task, bytes, ReplySlot[Reply]]] = []
    for task in tasks:
        slots += [(task, name, batch.ask("HSTRLEN", task.key, name)) for name in names]
        if task.result_key is not None and _RESULT in names:
            slots.append((task, task.result_key, batch.ask("STRLEN", task.result_key)))
    replies = await context.trip(batch)
    for task, name, slot in slots:
        size = integer(context.require(replies[slot]))
        if size:
            task.sizes[name] = size


async def _read_values(context: ReadContext, tasks: list[_Task]) -> None:
    batch = Batch()
    asked: list[tuple[_Task, tuple[bytes, ...], ReplySlot[list[Reply]]]] = []
    room = _BYTES_PER_TRIP
    for task in tasks:
        names = tuple(
            name
            for name, size in task.sizes.items()
            if size <= VALUE_LIMIT and name != task.result_key
        )
        room -= sum(task.sizes[name] for name in names)
        if names:
            asked.append((task, names, batch.ask("HMGET", task.key, *names, parse=items)))
        if task.result_key in task.sizes and task.result_key is not None:
            slot = batch.ask("GETRANGE", task.result_key, 0, VALUE_LIMIT - 1, parse=_single)
            asked.append((task, (task.result_key,), slot))
            room -= VALUE_LIMIT
        if room < 0:
            _keep(asked, await context.trip(batch))
            batch, asked, room = Batch(), [], _BYTES_PER_TRIP
    _keep(asked, await context.trip(batch))


def _single(reply: Reply) -> list[Reply]:
    return [reply]


def _keep(
    asked: list[tuple[_Task, tuple[bytes, ...], ReplySlot[list[Reply]]]], replies: list[Reply]
) -> None:
    for task, names, slot in asked:
        for name, value in zip(names, slot.value(replies), strict=False):
            task.keep(name, value)


def _chunk(window: _Window, matcher: Matcher) -> CandidateChunk:
    candidates: list[Candidate] = []
    partly = 0
    for task in window.tasks:
        for name, size in task.sizes.items():
            task.values.setdefault(name, MatchValue(b"", size))
        if task.result_key in task.values and task.result_key is not None:
            task.values[_RESULT] = task.values.pop(task.result_key)
        candidate = Candidate(task.entry, task.values)
        stands = any(matcher.find(value.data) >= 0 for value in task.values.values())
        if stands or matcher.names(task.entry.task_id):
            candidates.append(candidate)
        elif candidate.cut:
            partly += 1
    ids = [task.entry.task_id for task in window.tasks]
    fields = len(matcher.fields)
    return CandidateChunk(
        length=window.length,
        start=window.start,
        searched=len(ids),
        partly=partly,
        cost_us=len(ids) * (fields + 1 if fields else 0),
        whole=True,
        candidates=tuple(candidates),
        last=tuple(ids[-ANCHORS:]),
    )
