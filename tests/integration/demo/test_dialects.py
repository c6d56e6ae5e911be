"""What the fleet writes against what the real runqy and asynq programs wrote.

For each kind of key: name, type and expiry; for tasks the hash fields and the fields inside
``msg`` per state; for workers, logs and scores the spelling and the meaning of the values.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from redis import Redis

from runqy_tui.demo.asynq_app import QUEUES as ASYNQ_QUEUES
from runqy_tui.demo.embedded_server import EmbeddedServer
from runqy_tui.demo.fleet_spec import ABANDONED_QUEUE, ODD_QUEUE, QUEUES_BY_NAME
from runqy_tui.demo.simulated_fleet import SimulatedFleet
from runqy_tui.redis.decoding.proto import SchedulerEntry, ServerInfo, TaskMessage, WorkerInfo
from tests.support.captures import CAPTURES, read_capture

Captures = Callable[[str], list[Any]]
Dump = dict[bytes, Any]

TASK = re.compile(rb"asynq:\{(.+)\}:t:(.+)", re.DOTALL)
COMPARED = {name.encode() for name in QUEUES_BY_NAME if name != ODD_QUEUE}
CARRIED = frozenset({b"error_msg", b"last_failed_at", b"retried"})


@pytest.fixture(scope="module")
def written(play: Callable[..., SimulatedFleet], dump: Callable[[Redis], Dump]) -> Iterator[Dump]:
    """Everything in Redis five minutes into the demo."""
    with EmbeddedServer() as server, Redis.from_url(server.url) as client:
        play(client, 300)
        yield dump(client)


@pytest.fixture(scope="module")
def runqy(captures: Captures) -> list[Dump]:
    return captures("runqy")


@pytest.fixture(scope="module")
def asynq(captures: Captures) -> Dump:
    return next(iter(captures("asynq")))


def of_asynq(key: bytes) -> bool:
    """Whether a key of the demo belongs to its asynq program."""
    return key.startswith((b"asynq:servers", b"asynq:schedulers", b"asynq:workers:{")) or any(
        key.startswith(b"asynq:{" + name.encode() + b"}:") for name in ASYNQ_QUEUES
    )


def of_documented(key: bytes, entry: Any) -> bool:
    """Whether a key of the demo belongs to its old worker and hand-written producer."""
    return key.startswith(
        (b"asynq:inference_default:", b"asynq:result:", b"asynq:workers:old")
    ) or (key.startswith(b"asynq:t:") and b"payload" in entry.value)


def pattern(key: bytes) -> str:
    """A key with its queue, id and day taken out."""
    text = re.sub(r"\{.+?\}(?=:|$)", "{}", key.decode("utf-8", "replace"), flags=re.DOTALL)
    text = re.sub(r":\d{4}-\d\d-\d\d$", ":<day>", text)
    text = re.sub(r"^asynq:workers:[^{:][^:]*:\d+", "asynq:workers:<id>", text)
    text = re.sub(r":g:.+$", ":g:<group>", text)
    text = re.sub(r":unique:.+$", ":unique:<lock>", text)
    return re.sub(r"(^asynq|\}):t:.+$", r"\1:t:<id>", text, flags=re.DOTALL)


def shapes(entries: Iterator[tuple[bytes, Any]]) -> set[tuple[str, str, bool]]:
    """Name pattern, type, and whether it expires."""
    return {(pattern(key), entry.kind, entry.expires) for key, entry in entries}


def tasks(dump: Dump) -> Iterator[tuple[bytes, bytes, Any, Any]]:
    """Queue, id, task hash and reverse index of the runqy tasks that can be compared."""
    for key, entry in dump.items():
        match = TASK.fullmatch(key)
        if match and (match[1] in COMPARED or match[1].count(b".") == 1):
            yield match[1], match[2], entry, dump.get(b"asynq:t:" + match[2])


def numbers(msg: bytes) -> frozenset[int]:
    """Fields inside a task message."""
    return frozenset(field.number for field, _ in TaskMessage.FromString(msg).ListFields())


def test_keys_have_the_names_types_and_expiries_of_the_real_ones(
    written: Dump, runqy: list[Dump]
) -> None:
    real = shapes((key, entry) for dump in runqy for key, entry in dump.items())
    ours = shapes(
        (key, entry)
        for key, entry in written.items()
        if not of_asynq(key) and not of_documented(key, entry)
    )
    assert ours == real


def test_task_hashes_have_the_fields_of_the_real_ones(written: Dump, runqy: list[Dump]) -> None:
    def signatures(dumps: list[Dump]) -> set[tuple[bytes, frozenset[bytes], frozenset[int]]]:
        return {
            (
                entry.value[b"state"],
                frozenset(entry.value) - {b"pending_since"},
                numbers(entry.value[b"msg"]) - {5},  # 0 for callers that allow no retry
            )
            for dump in dumps
            for _, _, entry, _ in tasks(dump)
            if entry.value.get(b"error_msg") != b"lease expired"
        }

    real, ours = signatures(runqy), signatures([written])
    assert ours <= real, sorted(ours - real)
    assert {state for state, _, _ in ours} == {state for state, _, _ in real}


def test_pending_since_is_spelled_as_by_its_writer(written: Dump, runqy: list[Dump]) -> None:
    for dump in [*runqy, written]:
        for _, task_id, entry, _ in tasks(dump):
            since = entry.value.get(b"pending_since")
            if since is not None:
                assert entry.value[b"state"] == b"pending"
                length = 10 if b"retried" in entry.value else 19
                assert re.fullmatch(rb"\d{%d}" % length, since), task_id


def test_recovered_tasks_keep_their_message(
    client: Redis,
    play: Callable[..., SimulatedFleet],
    dump: Callable[[Redis], Dump],
    runqy: list[Dump],
) -> None:
    def expired(dump: Dump) -> list[Any]:
        return [
            entry.value
            for _, _, entry, _ in tasks(dump)
            if entry.value.get(b"error_msg") == b"lease expired"
            and entry.value[b"state"] in (b"retry", b"active", b"pending")
            and entry.value[b"retried"] == b"1"
        ]

    real = [value for dump in runqy for value in expired(dump)]
    assert {frozenset(value) for value in real} == {CARRIED | {b"msg", b"state"}}
    # The round at 210 s finds the killed worker's leases ended; then its tasks wait for 10 s.
    play(client, 212)
    ours = expired(dump(client))
    assert ours
    for value in ours:
        assert frozenset(value) - {b"pending_since"} == CARRIED | {b"msg", b"state"}
        assert numbers(value[b"msg"]) in {numbers(item[b"msg"]) for item in real}


def test_expiry_of_tasks_and_reverse_indexes(written: Dump, runqy: list[Dump]) -> None:
    def rules(dumps: list[Dump]) -> set[tuple[bytes, bool, bool | None]]:
        return {
            (entry.value[b"state"], entry.expires, index and index.expires)
            for dump in dumps
            for queue, _, entry, index in tasks(dump)
            # Tasks of asynq clients have no reverse index, whatever their state.
            if index is not None or entry.value[b"state"] == b"scheduled"
        }

    assert rules([written]) <= rules(runqy)


def test_scores_mean_what_they_mean_in_the_real_ones(written: Dump, runqy: list[Dump]) -> None:
    def distances(dump: Dump) -> Iterator[tuple[bytes, int]]:
        for state, field in (
            (b"completed", b"completed_at"),
            (b"archived", b"last_failed_at"),
            (b"retry", b"last_failed_at"),
        ):
            for queue, task_id, entry, _ in tasks(dump):
                if entry.value[b"state"] == state:
                    score = dump[b"asynq:{" + queue + b"}:" + state].value[task_id]
                    yield state, round(score - int(entry.value[field]))

    real = {found for dump in runqy for found in distances(dump)}
    ours = set(distances(written))
    retries = {(b"retry", delay) for delay in (10, 160, 810)}
    assert real == {(b"completed", 86_400), (b"archived", 259_200)} | {
        found for found in real if found[0] == b"retry"
    }
    assert {found for found in real if found[0] == b"retry"} <= retries
    assert {(state, near) for state, near in ours if state != b"retry"} == real - retries
    for _, delay in (found for found in ours if found[0] == b"retry"):
        assert any(abs(delay - usual) <= 1 for usual in (10, 160, 810))


def test_finished_without_storage_leaves_only_the_reverse_index(
    written: Dump, runqy: list[Dump]
) -> None:
    for dump in (runqy[-1], written):
        left = [
            entry
            for key, entry in dump.items()
            if key.startswith(b"asynq:t:")
            and entry.value.get(b"queue") == b"nostore.default"
            and b"asynq:{nostore.default}:t:" + key[8:] not in dump
        ]
        assert left
        assert not any(entry.expires for entry in left)
        assert int(dump[b"asynq:{nostore.default}:failed"].value) > 0
        assert b"asynq:{nostore.default}:archived" not in dump
        assert b"asynq:{nostore.default}:completed" not in dump


def workers(dump: Dump) -> Iterator[tuple[bytes, dict[bytes, bytes]]]:
    for key, entry in dump.items():
        if pattern(key) == "asynq:workers:<id>" and b"worker_id" in entry.value:
            yield key[len(b"asynq:workers:") :], entry.value


SPELLING = {
    b"worker_id": rb"[\w-]+:\d+",
    b"started_at": rb"\d{10}",
    b"last_beat": rb"\d{10}",
    b"concurrency": rb"\d+",
    b"queues": rb"map\[[^\[\]]+:\d+( [^\[\]]+:\d+)*\]",
    b"status": rb"running|stopped|bootstrapping",
    b"healthy": rb"[01]",
    b"metrics": rb'\{"cpu_percent":[\d.]+,"memory_used_bytes":\d+,"memory_total_bytes":\d+,'
    rb'("gpus":\[\{"index":0,"name":"[^"]+","utilization_percent":[\d.]+,"memory_used_mb":\d+,'
    rb'"memory_total_mb":\d+,"temperature_c":\d+\}.*\],)?"collected_at":\d{10}\}',
    b"recovery": rb'\{("[^"]+":\{"consecutive_fails":\d+,"state":"(idle|recovering|degraded)",'
    rb'"total_restarts":\d+\},?)+\}',
}


def test_worker_hashes_are_spelled_as_the_real_ones(written: Dump, runqy: list[Dump]) -> None:
    for dump in [*runqy, written]:
        found = list(workers(dump))
        assert found
        for worker_id, fields in found:
            assert set(fields) == set(SPELLING)
            assert fields[b"worker_id"] == worker_id
            for name, value in fields.items():
                assert re.fullmatch(SPELLING[name], value, re.DOTALL), (name, value)
            beat = dump[b"asynq:workers"].value.get(worker_id)
            if fields[b"status"] == b"running":
                assert beat == int(fields[b"last_beat"]) + 1800
            else:
                assert beat is None


def test_log_lines_are_spelled_as_the_real_ones(written: Dump, runqy: list[Dump]) -> None:
    seen = 0
    for dump in [*runqy, written]:
        for key, entry in dump.items():
            if key.endswith(b":logs"):
                seen += 1
                lines = [json.loads(line) for line in entry.value]
                assert len(lines) <= 500
                assert {tuple(line) for line in lines} == {("ts", "src", "text", "seq")}
                assert {line["src"] for line in lines} <= {"stderr", "stdout"}
                numbered = [line["seq"] for line in lines]
                assert numbered == sorted(numbered)
                assert not any(b'": ' in line[:30] for line in entry.value)
                assert not any(b"\\u00e9" in line for line in entry.value)
    assert seen >= 8


def test_asynq_keys_have_the_names_types_and_expiries_of_the_real_ones(
    written: Dump, asynq: Dump
) -> None:
    shared = (b"asynq:queues", b"asynq:workers")
    real = shapes(
        (key, entry)
        for key, entry in asynq.items()
        if not key.startswith((b"asynq:scheduler_history", *shared)) or key.endswith(b"}")
    )
    ours = shapes((key, entry) for key, entry in written.items() if of_asynq(key))
    assert ours == real


def test_asynq_tasks_have_the_fields_of_the_real_ones(written: Dump, asynq: Dump) -> None:
    def signatures(dump: Dump) -> dict[bytes, set[frozenset[bytes]]]:
        found: dict[bytes, set[frozenset[bytes]]] = {}
        for key, entry in dump.items():
            match = TASK.fullmatch(key)
            if match and match[1].decode() in ASYNQ_QUEUES:
                found.setdefault(entry.value[b"state"], set()).add(frozenset(entry.value))
        return found

    real, ours = signatures(asynq), signatures(written)
    assert set(ours) == set(real)
    for state, variants in ours.items():
        assert variants <= real[state], state


def test_asynq_errors_are_inside_the_message(written: Dump, asynq: Dump) -> None:
    for dump in (asynq, written):
        failed = [
            TaskMessage.FromString(entry.value[b"msg"])
            for key, entry in dump.items()
            if (match := TASK.fullmatch(key))
            and match[1].decode() in ASYNQ_QUEUES
            and entry.value[b"state"] in (b"archived", b"retry")
        ]
        assert failed
        assert all(message.error_msg and message.last_failed_at for message in failed)


def test_asynq_servers_tell_the_same_as_the_real_ones(written: Dump, asynq: Dump) -> None:
    def fields_of(dump: Dump) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {"server": set(), "worker": set(), "periodic": set()}
        for key, entry in dump.items():
            if key.startswith(b"asynq:servers:"):
                messages, name = [ServerInfo.FromString(entry.value)], "server"
            elif key.startswith(b"asynq:workers:{"):
                messages, name = [WorkerInfo.FromString(v) for v in entry.value.values()], "worker"
            elif key.startswith(b"asynq:schedulers:"):
                messages, name = [SchedulerEntry.FromString(v) for v in entry.value], "periodic"
            else:
                continue
            for message in messages:
                set_fields = {field.name for field, _ in message.ListFields()}
                found[name] |= set_fields - {"task_payload"}  # which may be empty
        return found

    assert fields_of(written) == fields_of(asynq)


@pytest.mark.captures
def test_real_messages_encode_to_the_same_bytes() -> None:
    from runqy_tui.demo.task_writer import Message
    from runqy_tui.text.safe import decode

    compared = 0
    for path in CAPTURES.glob("*.ndjson"):
        for key, entry in read_capture(path).items():
            if TASK.fullmatch(key) is None:
                continue
            real = TaskMessage.FromString(entry.value[b"msg"])
            message = Message(
                id=decode(real.id),
                queue=decode(real.queue),
                payload=real.payload,
                type=decode(real.type),
                retry=real.retry,
                retried=real.retried,
                error=decode(real.error_msg),
                timeout=real.timeout,
                deadline=real.deadline,
                unique_key=decode(real.unique_key),
                last_failed_at=real.last_failed_at,
                retention=real.retention,
                group=decode(real.group_key),
                headers={decode(item.key): decode(item.value) for item in real.headers},
            )
            suffix = Message.completed_suffix(real.completed_at)
            assert message.encode() + suffix == entry.value[b"msg"] or real.headers
            compared += 1
    assert compared > 200


def test_abandoned_queue_holds_what_nobody_will_fetch(written: Dump) -> None:
    prefix = b"asynq:{" + ABANDONED_QUEUE.encode() + b"}:"
    pending = written[prefix + b"pending"].value
    active = written[prefix + b"active"].value
    leases = written[prefix + b"lease"].value
    missing = [task_id for task_id in pending if prefix + b"t:" + task_id not in written]
    sizes = [
        len(entry.value[b"msg"]) for key, entry in written.items() if key.startswith(prefix + b"t:")
    ]
    assert len(pending) == 18
    assert len(missing) == 1  # a dangling id
    assert len(active) == 2
    assert len(leases) == 1  # the other orphan never had one
    assert max(sizes) > 1_000_000
