"""Shortcuts of a poll change nothing of what a worker is: against the same without them."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from runqy_tui.model import Worker, WorkerState
from runqy_tui.redis.polling import worker_parsing
from runqy_tui.redis.polling.warnings import Warnings
from runqy_tui.redis.polling.worker_parsing import HashValues, ParsedHash
from runqy_tui.redis.polling.worker_state import METRICS_EVERY_S, CachedWorker
from runqy_tui.redis.wire.replies import Reply

NOW = 1_000_000.0
ID = "host:1"
TTL_EVERY = 5
"""Reads of which one asks for what is left of a hash's life."""


class Quick(CachedWorker):
    """One that keeps whether its last reply was skipped."""

    skipped = False

    def is_unchanged(self, reply: Reply, now: float) -> bool:
        self.skipped = super().is_unchanged(reply, now)
        return self.skipped


class Plain(CachedWorker):
    """One that parses each reply in full."""

    def is_unchanged(self, reply: Reply, now: float) -> bool:
        return False

    def _parse_heartbeat(self, reply: Reply) -> ParsedHash | None:
        return None

    def _parse(self, values: HashValues) -> ParsedHash | None:
        return worker_parsing.parse_hash(self.id, values)


def metrics(number: int) -> bytes:
    return json.dumps({"cpu_percent": number, "gpus": [{"index": 0}], "collected_at": 1}).encode()


def hash_of(beat: float, **fields: Any) -> list[Reply]:
    values: dict[str, Reply] = {
        "worker_id": ID.encode(),
        "started_at": b"900",
        "last_beat": str(int(beat)).encode(),
        "status": b"running",
        "healthy": b"1",
        "queues": b"map[a:1]",
        "metrics": metrics(5),
    } | fields
    return [values.get(name.decode()) for name in worker_parsing.FIELDS]


def poll(
    one: CachedWorker, reply: Reply, now: float, ttl_ms: int | None
) -> tuple[Worker | None, tuple[str, ...]]:
    """What a poll does with one worker: read it, and judge it where its hash is there."""
    warnings = Warnings()
    one.fresh, measured = False, ttl_ms is not None
    if measured or not one.is_unchanged(reply, now):
        one.read(list(reply) if isinstance(reply, list) else reply, may_cut=True)
        one.schedule(now, scored=True, measured=measured, ttl_ms=ttl_ms)
    if one.settled:
        return one.worker, ()
    if not one.has_hash or one.parsed is None:
        return one.lost(NOW), warnings.texts()
    return one.classify(one.parsed, None, now, warnings), warnings.texts()


CHANGES: tuple[tuple[str, Any], ...] = (
    ("healthy", b"0"),
    ("status", b"stopped"),
    ("status", b"bootstrapping"),
    ("recovery", b'{"a":{"state":"degraded"}}'),
    ("recovery", b"{"),
    ("queues", b"map[a:1 b:2]"),
    ("metrics", b"[1]"),
    ("metrics", None),
    ("metrics", metrics(7)),
    ("concurrency", b"4"),
    ("concurrency", b"x"),
    ("started_at", b"950"),
    ("instance_id", b"i"),
    ("protected", b"true"),
    ("active_task", b"t"),
    ("last_beat", b"soon"),
    ("last_beat", None),
    ("worker_id", b"other"),
)


@pytest.mark.parametrize("seed", range(60))
def test_whatever_happens_to_a_worker(seed: int) -> None:
    pick = random.Random(seed)
    quick, plain = Quick(ID), Plain(ID)
    quick.is_cut = plain.is_cut = False
    now, beat, clock_off = NOW + 0.3, NOW, pick.choice((0.0, 0.0, -20.0, 3.0, 60.0))
    fields: dict[str, Any] = {}
    skipped = 0
    for number in range(150):
        now += pick.choice((0.5, 1.0, 1.0, 2.0))
        if now - beat > 5 and pick.random() < 0.9:
            beat = now - pick.random()
            fields["metrics"] = metrics(number)
        if pick.random() < 0.15:
            fields = {} if pick.random() < 0.4 else fields | dict([pick.choice(CHANGES)])
        reply: list[Reply] = hash_of(beat + clock_off, **fields)
        if now - beat > 30 or pick.random() < 0.03:
            reply = [None] * len(worker_parsing.FIELDS)
        ttl_ms = None
        if plain.needs_ttl(now) or number % TTL_EVERY == 0:
            ttl_ms = int(30_000 - (now - beat) * 1000)
        assert quick.needs_ttl(now) == plain.needs_ttl(now)
        assert poll(quick, reply, now, ttl_ms) == poll(plain, reply, now, ttl_ms)
        skipped += quick.skipped and ttl_ms is None
        assert max(quick.due_at, now) == pytest.approx(max(plain.due_at, now))
        assert quick.metrics_due_at == pytest.approx(plain.metrics_due_at)
        assert (quick.offset_s, quick.read_at) == (plain.offset_s, plain.read_at)
    assert skipped > 10 or clock_off > 5, "no shortcut was taken"


def settled() -> Quick:
    """One of which nothing but its age is expected to change."""
    one = Quick(ID)
    one.is_cut = False
    poll(one, hash_of(NOW), NOW + 0.5, 29_500)
    poll(one, hash_of(NOW), NOW + 1.0, None)
    assert one.skipped
    return one


@pytest.mark.parametrize(("name", "value"), CHANGES)
def test_a_single_field_that_changes_is_seen(name: str, value: Any) -> None:
    quick, plain = settled(), Plain(ID)
    plain.is_cut = False
    poll(plain, hash_of(NOW), NOW + 0.5, 29_500)
    poll(plain, hash_of(NOW), NOW + 1.0, None)
    before = quick.worker
    for now, fields in ((NOW + 1.5, {name: value}), (NOW + 2.0, {name: value}), (NOW + 2.5, {})):
        seen = poll(quick, hash_of(NOW, **fields), now, None)
        assert seen == poll(plain, hash_of(NOW, **fields), now, None)
        if fields and name not in ("worker_id", "metrics"):
            assert before is not None
            assert seen[0] is not None
            assert before != seen[0]


def test_a_worker_that_only_grows_older() -> None:
    one = settled()
    before = one.worker
    assert before is not None
    found, warned = poll(one, hash_of(NOW), NOW + 2.25, None)
    assert found is before
    assert not warned


def test_a_worker_that_falls_silent_is_late_then_stale() -> None:
    one = settled()
    poll(one, hash_of(NOW), NOW + 6.9, None)
    assert one.skipped
    poll(one, hash_of(NOW), NOW + 7.5, None)
    assert not one.skipped
    assert one.needs_ttl(NOW + 8)
    found, _ = poll(one, hash_of(NOW), NOW + 31, 1)
    assert found is not None
    assert found.state is WorkerState.STALE


def test_metrics_that_are_due_are_no_shortcut() -> None:
    one = settled()
    one.valid_until = NOW + METRICS_EVERY_S
    assert not one.is_unchanged(hash_of(NOW), one.valid_until)
    assert one.is_unchanged(hash_of(NOW), NOW + 3)
