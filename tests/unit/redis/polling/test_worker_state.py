"""What is asked of a worker's hash, and what becomes of fields that were not asked for."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import pytest
from redis.exceptions import ResponseError

from runqy_tui.model import Worker
from runqy_tui.redis.polling import worker_parsing
from runqy_tui.redis.polling.worker_state import (
    METRICS_EVERY_S,
    CachedWorker,
    cut_read,
    hash_read,
)
from runqy_tui.redis.wire.replies import Reply
from runqy_tui.redis.wire.transport import Batch

NOW = 1_000_000.0
SOON = NOW + 0.001
LATER = NOW + METRICS_EVERY_S
ID = "host:1"


def values(**fields: Any) -> list[Any]:
    hash_fields = {"worker_id": ID, "started_at": 900, "last_beat": 1_000_000, "status": "running"}
    hash_fields |= {"queues": "map[a:1]", "metrics": '{"cpu_percent":5,"collected_at":7}'} | fields
    raw = {
        name.encode(): None if value is None else str(value) for name, value in hash_fields.items()
    }
    found = [raw.get(name) for name in worker_parsing.FIELDS]
    return [None if value is None else value.encode() for value in found]


def beat(one: CachedWorker, at: float, reply: Reply, *, sparing: bool = True) -> bytes:
    """Ask it, and give it this as the reply to what was asked; gives the command."""
    packed = one.command(may_cut=True, light_at=at if sparing else None)
    if isinstance(reply, list):
        gone = b"metrics" not in packed.wire
        reply = [
            None if gone and name == b"metrics" else value
            for name, value in zip(worker_parsing.FIELDS, reply, strict=True)
        ]
    one.read(reply, may_cut=True)
    one.schedule(at, scored=True, measured=True, ttl_ms=29_000)
    return packed.wire


def known() -> CachedWorker:
    """One that was read whole, and whose turn has not come."""
    one = CachedWorker(ID)
    beat(one, NOW, values())
    one.metrics_due_at = LATER
    return one


def cpu(one: CachedWorker) -> float | None:
    metrics = worker(one).metrics
    return metrics.cpu_percent if metrics else None


def worker(one: CachedWorker) -> Worker:
    assert one.parsed is not None
    return one.parsed.worker


@pytest.mark.parametrize("worker_id", [ID, "", "ü", "a\r\n$0\r\n\r\n", "\udcff"])
def test_a_read_is_what_one_command_would_be(worker_id: str) -> None:
    for left_out in ((), (b"metrics",), (b"metrics", b"queues")):
        batch = Batch()
        names = [b"-" if name in left_out else name for name in worker_parsing.FIELDS]
        key = b"asynq:workers:" + worker_id.encode("utf-8", "surrogateescape")
        batch.ask("HMGET", key, *names)
        assert hash_read(worker_id, left_out) == batch.packed()


def test_the_metrics_are_spared_until_their_turn() -> None:
    one = known()
    assert b"metrics" not in beat(one, SOON, values(last_beat=1_000_005, metrics="{}"))
    assert one.is_light
    assert cpu(one) == 5
    assert worker(one).last_beat_at == 1_000_005
    metrics = worker(one).metrics
    assert metrics is not None
    assert metrics.collected_at == 7
    assert b"metrics" in beat(one, LATER, values(metrics='{"cpu_percent":6}'))
    assert cpu(one) == 6
    assert LATER < one.metrics_due_at <= LATER + METRICS_EVERY_S


def test_everything_is_read_where_nothing_is_spared() -> None:
    one = known()
    assert b"metrics" in beat(one, SOON, values(metrics='{"cpu_percent":6}'), sparing=False)
    assert cpu(one) == 6


def test_nobody_spares_what_is_not_known() -> None:
    one = CachedWorker(ID)
    assert one.command(may_cut=True, light_at=NOW) == cut_read(ID)
    assert one.command(may_cut=False, light_at=NOW) == hash_read(ID)
    one = known()
    beat(one, SOON, [None] * len(worker_parsing.FIELDS))
    assert not one.has_hash
    assert one.command(may_cut=True, light_at=SOON) == hash_read(ID)


def test_who_stops_telling_has_none_from_the_next_whole_read_on() -> None:
    one = known()
    beat(one, SOON, values(metrics=None))
    assert cpu(one) == 5
    beat(one, LATER, values(metrics=None))
    assert worker(one).metrics is None
    one.metrics_due_at = LATER + 9
    beat(one, LATER + 1, values(metrics='{"cpu_percent":6}'))
    assert worker(one).metrics is None


@pytest.mark.parametrize("fields", [{"started_at": 950}, {"instance_id": "x"}])
def test_a_new_process_does_not_get_the_metrics_of_the_old(fields: dict[str, Any]) -> None:
    one = known()
    beat(one, SOON, values(**fields))
    assert one.has_hash
    assert cpu(one) is None
    assert one.due_at <= SOON
    assert b"metrics" in beat(one, SOON, values(**fields))
    assert cpu(one) == 5
    assert one.due_at > SOON


def test_only_a_status_is_a_ghost_whatever_was_known() -> None:
    one = known()
    gone = dict.fromkeys(("worker_id", "started_at", "last_beat", "queues", "metrics"))
    beat(one, SOON, values(**gone, status="stopped"))
    assert one.parsed is not None
    assert one.parsed.is_ghost
    assert worker(one).queues == {}
    one.metrics_due_at = LATER
    assert b"metrics" in beat(one, SOON, values(**gone))
    one.metrics_due_at = LATER
    assert b"metrics" in beat(one, SOON, values())


def test_the_same_again_is_no_news() -> None:
    one = known()
    beat(one, SOON, values(last_beat=1_000_001))
    before = one.parsed
    beat(one, SOON, values(last_beat=1_000_001))
    assert one.parsed is before


def test_long_metrics_are_cut_at_every_read() -> None:
    one = known()
    beat(one, LATER, values(metrics="x" * (worker_parsing.MAX_FIELD_BYTES + 1)))
    assert one.is_cut
    assert one.command(may_cut=True, light_at=SOON) == cut_read(ID)
    assert not one.is_light


def test_what_is_too_long_stays_out_beside_the_metrics() -> None:
    one = known()
    queues = "map[" + "a" * worker_parsing.MAX_FIELD_BYTES
    one.read(values(queues=queues), may_cut=False)
    left_out = (b"metrics", b"queues")
    assert one.command(may_cut=False, light_at=SOON) == hash_read(ID, left_out)
    before = one.parsed
    fields = zip(worker_parsing.FIELDS, values(), strict=True)
    one.read([None if n in left_out else v for n, v in fields], may_cut=False)
    assert one.parsed is before
    assert one.command(may_cut=False) == hash_read(ID, (b"queues",))


def test_a_fleet_does_not_take_its_turn_all_at_once() -> None:
    turns = []
    for number in range(300):
        one = CachedWorker(f"host{number}:1")
        beat(one, NOW, values())
        turns.append(one.metrics_due_at - NOW)
    assert 0 < min(turns) <= max(turns) <= METRICS_EVERY_S
    thirds = [sum(int(turn * 3 / METRICS_EVERY_S) == third for turn in turns) for third in range(3)]
    assert min(thirds) > 60


def any_hash(pick: random.Random, step: int) -> Reply:
    """A hash as some program may leave it."""
    if pick.random() < 0.1:
        gone: list[Reply] = [[None] * len(worker_parsing.FIELDS), ResponseError("WRONGTYPE")]
        return pick.choice(gone)
    changes: list[dict[str, Any]] = [
        {},
        {"healthy": pick.randrange(2)},
        {"started_at": pick.choice([900, 950, None, "x"])},
        {"recovery": pick.choice([None, "{", '{"a":{"state":"recovering"}}'])},
        {"metrics": pick.choice([None, "{", f'{{"cpu_percent":{step}}}'])},
        dict.fromkeys(("worker_id", "started_at", "last_beat", "queues"), pick.choice([None, "1"])),
        {"queues": pick.choice([None, "map[b:2]", "x" * (worker_parsing.MAX_FIELD_BYTES + 9)])},
    ]
    fields: dict[str, Any] = {"last_beat": 1_000_000 + step}
    for change in pick.sample(changes, 2):
        fields |= change
    return values(**fields)


@pytest.mark.parametrize("seed", range(4))
def test_but_for_the_metrics_a_light_read_tells_what_a_whole_one_does(seed: int) -> None:
    pick = random.Random(seed)
    light, whole, spared = CachedWorker(ID), CachedWorker(ID), 0
    for step in range(300):
        reply, at = any_hash(pick, step), NOW + step
        light.metrics_due_at *= pick.random() > 0.1
        beat(light, at, reply)
        beat(whole, at, reply, sparing=False)
        spared += light.is_light
        assert light.presence is whole.presence
        if light.has_hash and light.parsed and whole.parsed:
            assert light.parsed.is_ghost == whole.parsed.is_ghost
            assert bare(worker(light)) == bare(worker(whole))
            if not light.is_light:
                assert worker(light) == worker(whole)
    assert 50 < spared < 250


def bare(worker: Worker) -> Worker:
    problems = tuple(problem for problem in worker.problems if problem != "metrics")
    return replace(worker, metrics=None, problems=problems)
