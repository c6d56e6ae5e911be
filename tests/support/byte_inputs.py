"""Every way in for bytes that others wrote, as functions of bytes: fuzzed, and fed the corpus.

Each raises where the program would: an exception, text that is not clean, JSON that is none. What
needs several values takes them from one input, parted by ``0x1E``, the record separator.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice

from google.protobuf.message import DecodeError

from runqy_tui.diagnosis.signatures import signature
from runqy_tui.model import (
    Dialect,
    LogBatch,
    Queue,
    QueueKey,
    RedisInfo,
    Snapshot,
    TaskRow,
    TaskState,
    Worker,
)
from runqy_tui.redis import keys, worker_logs
from runqy_tui.redis.decoding import codec, field_parsing, proto
from runqy_tui.redis.decoding.codec import DecodedMessage, cut_of, open_parts, open_whole
from runqy_tui.redis.polling import asynq_servers, queue_state, worker_parsing
from runqy_tui.redis.polling.queue_builder import build_queue
from runqy_tui.redis.polling.queue_state import CachedQueue, QueueReading
from runqy_tui.redis.polling.redis_server import health_of
from runqy_tui.redis.task_reading.build_task import FoundTask, task_of
from runqy_tui.redis.task_reading.hash_values import Values
from runqy_tui.redis.wire import replies
from runqy_tui.text.masking import mask
from runqy_tui.text.safe import decode, encode, safe_block, safe_line
from tests.support.text_outputs import check_clean, check_forms, check_task

NOW = 1_795_484_106.0
PART = b"\x1e"
_SCORES = ("lease", "scheduled", "retry", "archived", "completed")


def task_message(data: bytes) -> None:
    """A ``msg``, whole and read in parts, and the task made of it."""
    opened = open_whole(data, 1_000)
    split_at = len(data) // 2
    cut = cut_of(data[:split_at], len(data))
    if cut is not None:
        assert 0 <= cut.start <= cut.offset <= cut.end <= len(data)
        open_parts(data[:split_at], cut, data[cut.end :], len(data), 1_000)
        open_parts(data[:split_at], cut, None, len(data), 1_000)
    _check_task(opened, {b"msg": data}, [])


def task_hash(data: bytes) -> None:
    """The fields of a task's hash, its id and its scores."""
    from runqy_tui.redis.task_reading.task_lookup import FIELDS

    parts = data.split(PART)
    fields = dict(zip(FIELDS, parts, strict=False))
    scores = parts[len(FIELDS) :]
    _check_task(open_whole(fields.get(b"msg", b""), 1_000), fields, scores)


def _check_task(opened: DecodedMessage, fields: dict[bytes, bytes], scores: list[bytes]) -> None:
    known_scores = {name: replies.score(raw) for name, raw in zip(_SCORES, scores, strict=False)}
    values = Values({name: len(raw) for name, raw in fields.items()}, fields)
    for queue in (QueueKey("q"), QueueKey("q", braced=False)):
        task_id = opened.message.id or "id"
        found = FoundTask(
            queue, task_id, NOW, known_scores, frozenset(), 5_000, True, ["note"], values
        )
        found.opened = opened
        check_task(task_of(found, Dialect.RUNQY, 1_000))


def server_info(data: bytes) -> None:
    """An asynq server's heartbeat, as a worker in every text form."""
    info = codec.decode_server(data)
    worker = asynq_servers.classify("h:1:u", info, NOW, (), NOW)
    check_forms(_snapshot(workers_=(worker, asynq_servers.lost("lost:1:u", info))))


def worker_info(data: bytes) -> None:
    """What an asynq server says of one of its tasks."""
    info = codec.decode_worker(data)
    if info is not None:
        check_clean(safe_line(f"{info.task_id}{info.task_type}{info.queue}"))
        assert info.started_at is None or 0 < info.started_at < 1e12


def scheduler_entry(data: bytes) -> None:
    """A periodic task of asynq: nothing shows it yet, but its message is declared."""
    try:
        proto.SchedulerEntry().ParseFromString(data)
    except DecodeError:
        return


def worker_hash(data: bytes) -> None:
    """The fields of a worker's hash, its id first, in every text form."""
    worker_id, *parts = data.split(PART)
    found = [part or None for part in islice(parts, len(worker_parsing.FIELDS))]
    values = found + [None] * (len(worker_parsing.FIELDS) - len(found))
    name = decode(worker_id)
    parsed = worker_parsing.parse_hash(name, values)
    if parsed is None:
        return
    assert worker_parsing.parse_hash(name, values, parsed) == parsed
    judged = (
        worker_parsing.classify(parsed.worker, None, 0.5, NOW),
        worker_parsing.lost(f"{name}~", parsed.worker, NOW - 99),
    )
    served = [QueueKey(queue) for queue in islice(parsed.worker.queues, 50)]
    check_forms(_snapshot(queues=tuple(map(Queue, served)), workers_=judged))


def queue_values(data: bytes) -> None:
    """A queue's name, its groups and strings, and the score that is due first."""
    name, *parts = data.split(PART)
    values = [part or None for part in parts[: len(queue_state.CounterKey)]]
    values += [None] * (len(queue_state.CounterKey) - len(values))
    rest = parts[len(queue_state.CounterKey) :]
    memory = CachedQueue(QueueKey(decode(name)), day="2026-11-24")
    counted = (state for state in TaskState if state is not TaskState.AGGREGATING)
    reading = QueueReading({state: len(data) for state in counted}, day="2026-11-24")
    reading.counters = queue_state.parse_counters(len(data) % 6, list(values))
    reading.groups = tuple(map(decode, rest))
    reading.due_at = {TaskState.RETRY: replies.score(rest[0])} if rest else {}
    memory.probe.since = field_parsing.pending_since(values[0])
    queue = build_queue(memory, reading, (), "2026-11-24")
    keys.queue_of_list(data)
    check_forms(_snapshot(queues=(queue,)))


def json_text(data: bytes) -> None:
    """JSON of metrics and recovery, and a line of a log, whole and cut."""
    problems: list[str] = []
    worker_parsing.parse_metrics(data, problems)
    worker_parsing.parse_recovery(data, problems)
    half = len(data) // 2
    for raw in (data, (len(data), data[:half], data[-128:])):
        line = worker_logs.line(raw)
        if line is not None:
            check_clean(safe_block(line.text))
            batch = LogBatch((line,))
            lost = worker_parsing.lost("w:1", None, NOW - 100)
            check_forms(_snapshot(workers_=(lost,)), logs={"w:1": batch})


def scalar(data: bytes) -> None:
    """A number, a flag, a moment, a map of queues, and the replies that Redis spells itself."""
    field_parsing.whole(data)
    field_parsing.flag(data)
    for moment in (field_parsing.moment(data), field_parsing.pending_since(data)):
        assert moment is None or 0 < moment < 1e12
    found, _ = field_parsing.queues(data)
    assert all(isinstance(name, str) for name in found)
    replies.score(data)
    replies.scan_page([data, [data]])
    replies.clock([data, data])
    health_of(replies.info_fields(data) or {})


def text(data: bytes) -> None:
    """Names, errors and lines on their way out."""
    decoded = decode(data)
    assert encode(decoded) == data
    check_clean(safe_line(decoded))
    assert "\n" not in safe_line(decoded)
    check_clean(safe_block(decoded))
    masked = mask(decoded)
    assert mask(masked) == masked
    check_clean(safe_line(signature(decoded).title))
    row = TaskRow("id", TaskState.ARCHIVED, error=decoded, when=NOW)
    check_forms(_snapshot(), rows=[(QueueKey(decoded), row)])


def _snapshot(
    queues: tuple[Queue, ...] = (), workers_: tuple[Worker, ...] = (), warning: str = ""
) -> Snapshot:
    info = RedisInfo("redis.internal:6379")
    return Snapshot(NOW, info, queues, workers_, (warning,) if warning else ())


ENTRIES: dict[str, Callable[[bytes], None]] = {
    "task_message": task_message,
    "task_hash": task_hash,
    "server_info": server_info,
    "worker_info": worker_info,
    "scheduler_entry": scheduler_entry,
    "worker_hash": worker_hash,
    "queue_values": queue_values,
    "json_text": json_text,
    "scalar": scalar,
    "text": text,
}
"""By the name of the folder in ``tests/corpus`` that holds their seeds."""
