"""Rows of a task list: all hashes in two trips, the sizes of their fields first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from runqy_tui.model import Blob, Dialect, QueueKey, TaskRow, TaskState
from runqy_tui.redis import keys
from runqy_tui.redis.decoding import field_parsing
from runqy_tui.redis.decoding.codec import CLOSED, DecodedMessage, cut_of, open_parts, open_whole
from runqy_tui.redis.read_context import ReadContext
from runqy_tui.redis.task_reading.hash_values import ask_part
from runqy_tui.redis.task_reading.ttl_cache import TTLCache
from runqy_tui.redis.wire.command_encoding import Pattern
from runqy_tui.redis.wire.replies import Reply, ReplySlot, data, integer, items
from runqy_tui.redis.wire.transport import Batch, packed_for
from runqy_tui.text.safe import decode

PREVIEW = 512
"""Bytes of a payload that a row keeps."""

ERROR_CHARS = 2_000
_WHOLE = 32 * 1024
_HEAD = 2 * 1024
_BUDGET = 32 * 1024 * 1024
"""Total size of the large values of a page that are read in part: Redis copies each whole."""

_LARGE = (b"msg", b"error_msg", b"payload", b"type")
_SMALL = (
    b"pending_since",
    b"retried",
    b"max_retry",
    b"retry",
    b"completed_at",
    b"last_failed_at",
    b"state",
)
_SIZES = (*(Pattern("HSTRLEN", None, name) for name in _LARGE), Pattern("HMGET", None, *_SMALL))

KEEP_S = 5.0
"""Seconds for which a row is reused while its task remains in the list, at the same score."""
MOST_KEPT = 1_000


class RowEntry(NamedTuple):
    """An entry of a list or sorted set."""

    task_id: bytes
    score: float | None = None


@dataclass(slots=True)
class _Row:
    """One row: the sizes of its large fields, and the values that were read."""

    entry: RowEntry
    key: bytes
    sizes: dict[bytes, int] = field(default_factory=dict)
    values: dict[bytes, bytes] = field(default_factory=dict)

    @property
    def missing(self) -> bool:
        return not (self.sizes or self.values)

    def is_in(self, state: TaskState) -> bool:
        """Whether the hash has that state: the task may be moving between lists."""
        return self.values.get(b"state") == state.value.encode()

    def number(self, *names: bytes) -> int | None:
        found = (field_parsing.whole(self.values.get(name)) for name in names)
        return next((value for value in found if value is not None), None)


KnownRows = TTLCache[tuple[QueueKey, TaskState, RowEntry, bool], TaskRow]
"""Complete rows; the last part of the key is whether the consumers are runqy's (see below)."""


async def read_rows(
    context: ReadContext,
    queue: QueueKey,
    state: TaskState,
    entries: Sequence[RowEntry],
    now: float,
    known: KnownRows | None = None,
) -> tuple[TaskRow, ...]:
    """Read the rows of these ids, in their order. An id without a hash has a ``missing`` row.

    Rows in ``known`` are not read again. Raises ``ConnectionFailedError`` or
    ``AccessDeniedError`` if a hash cannot be read.
    """
    keeps = context.dialect(queue) is Dialect.RUNQY
    found: dict[RowEntry, TaskRow] = {}
    if known is not None:
        known.evict()
        kept = ((entry, known.get((queue, state, entry, keeps))) for entry in entries)
        found = {entry: row for entry, row in kept if row is not None}
    unread = [entry for entry in entries if entry not in found]
    rows = [_Row(entry, keys.task(queue, decode(entry.task_id))) for entry in unread]
    await _read_sizes(context, rows)
    await _read_large(context, rows)
    for row in rows:
        made = found[row.entry] = _row(row, state, now, keeps)
        if known is not None and made.decodable and row.is_in(state):
            known.put((queue, state, row.entry, keeps), made)
    return tuple([found[entry] for entry in entries])


async def _read_sizes(context: ReadContext, rows: list[_Row]) -> None:
    batch = Batch()
    asked = [(row, batch.join(packed_for(row.key, *_SIZES))) for row in rows]
    replies = await context.trip(batch)
    for row, span in asked:
        *sizes, values = replies[span]
        context.require(sizes[0])
        context.require(values)
        found = ((name, integer(reply)) for name, reply in zip(_LARGE, sizes, strict=True))
        row.sizes = {name: size for name, size in found if size}
        _keep(row, _SMALL, items(values))


async def _read_large(context: ReadContext, rows: list[_Row]) -> None:
    batch = Batch()
    asked: list[tuple[_Row, tuple[bytes, ...], ReplySlot[list[Reply]]]] = []
    parts: list[tuple[_Row, bytes, ReplySlot[bytes | None]]] = []
    budget = _BUDGET
    for row in rows:
        whole = tuple(name for name, size in row.sizes.items() if size <= _WHOLE)
        if whole:
            asked.append((row, whole, batch.ask("HMGET", row.key, *whole, parse=items)))
        for name, size in row.sizes.items():
            if _WHOLE < size <= budget:
                budget -= size
                parts.append((row, name, ask_part(batch, row.key, name, 0, _HEAD)))
    replies = await context.trip(batch)
    for row, names, values in asked:
        _keep(row, names, values.value(replies))
    for row, name, part in parts:
        _keep(row, (name,), [part.value(replies)])


def _keep(row: _Row, names: tuple[bytes, ...], replies: list[Reply]) -> None:
    for name, reply in zip(names, replies, strict=False):  # none where the read was refused
        raw = data(reply)
        if raw is not None:
            row.values[name] = raw


def _open(row: _Row) -> DecodedMessage | None:
    """The row's message; ``None`` if it has none or none could be read."""
    size, raw = row.sizes.get(b"msg"), row.values.get(b"msg")
    if size is None or raw is None:
        return None
    if len(raw) >= size:
        return open_whole(raw, _HEAD)
    cut = cut_of(raw, size)
    return open_parts(raw, cut, None, size, _HEAD) if cut else CLOSED


def _row(row: _Row, state: TaskState, now: float, keeps: bool) -> TaskRow:
    task_id, score = decode(row.entry.task_id), row.entry.score
    expires_at = _expires_at(state, score, now, keeps)
    if row.missing:
        when = score if state in (TaskState.SCHEDULED, TaskState.RETRY) else None
        return TaskRow(task_id, state, score, when, expires_at=expires_at, missing=True)
    opened = _open(row)
    message = opened.message if opened and opened.message.decodable else None
    whole = message if opened and opened.complete else None
    retried = [row.number(b"retried"), whole.retried if whole else None]
    documented = b"msg" not in row.sizes and (b"payload" in row.sizes or b"type" in row.sizes)
    limit = row.number(b"max_retry", b"retry")
    return TaskRow(
        id=task_id,
        state=state,
        score=score,
        when=_when(row, opened, state),
        type=(message.type if message else "")
        or field_parsing.text(row.values.get(b"type", b"")[:_HEAD]),
        payload=_payload(row, opened),
        error=_error(row, opened),
        retried=max((value for value in retried if value is not None), default=None),
        max_retry=whole.retry if whole and limit is None else limit,
        expires_at=expires_at,
        decodable=message is not None or documented or (opened is None and b"msg" in row.sizes),
        failed_at=_failed_at(row, opened),
    )


def _payload(row: _Row, opened: DecodedMessage | None) -> Blob | None:
    if b"msg" not in row.sizes:
        size = row.sizes.get(b"payload")
        return Blob(row.values.get(b"payload", b"")[:PREVIEW], size) if size else None
    if opened is None:  # no partial read was allowed: only the size of the message is known
        return Blob(b"", row.sizes[b"msg"])
    whole = opened.payload
    return Blob(whole.data[:PREVIEW], whole.size) if whole else None


def _error(row: _Row, opened: DecodedMessage | None) -> str | None:
    """The error; of a long one the head, and the tail if that was read."""
    raw = row.values.get(b"error_msg")
    size = row.sizes.get(b"error_msg", 0)
    if not raw and opened and opened.error:
        raw, size = opened.error.data, opened.error.size
    if not raw:
        return None
    text = decode(raw)
    if len(text) <= ERROR_CHARS and len(raw) >= size:
        return text
    head = ERROR_CHARS // 4
    # A traceback names its exception in the last line.
    tail = text[-3 * head :] if len(raw) >= size else ""
    return f"{text[:head]}\n…\n{tail}"


def _when(row: _Row, opened: DecodedMessage | None, state: TaskState) -> float | None:
    message = opened.message if opened else None
    if state is TaskState.PENDING:
        return field_parsing.pending_since(row.values.get(b"pending_since"))
    if state in (TaskState.SCHEDULED, TaskState.RETRY, TaskState.AGGREGATING):
        return row.entry.score
    if state is TaskState.ARCHIVED:
        return _failed_at(row, opened)
    if state is TaskState.COMPLETED:
        completed_at = field_parsing.moment(row.values.get(b"completed_at"))
        return completed_at or (field_parsing.seconds(message.completed_at) if message else None)
    return None


def _failed_at(row: _Row, opened: DecodedMessage | None) -> float | None:
    failed_at = field_parsing.moment(row.values.get(b"last_failed_at"))
    return failed_at or (field_parsing.seconds(opened.message.last_failed_at) if opened else None)


def _expires_at(state: TaskState, score: float | None, now: float, keeps: bool) -> float | None:
    """When an entry expires. asynq scores ``archived`` by the time of death, which is past."""
    if state is TaskState.COMPLETED:
        return score
    if state is TaskState.ARCHIVED and score is not None and (keeps or score > now):
        return score
    return None
