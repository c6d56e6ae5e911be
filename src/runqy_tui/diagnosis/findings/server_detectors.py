"""What is wrong with the Redis server itself."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from runqy_tui.diagnosis.findings.finding import (
    DetectorContext,
    Evidence,
    Finding,
    Subject,
    SubjectKind,
)
from runqy_tui.diagnosis.findings.phrasing import short
from runqy_tui.model.severity import Severity
from runqy_tui.text.humanize import amount, size, span

SLOW_POLLS = 5
"""One slow poll is nothing: this many in a row are."""

FAILOVER_SHOWN_S = 600.0
"""A change of the primary is told for so long."""

_WHOLE_DEPLOYMENT = 1e6
"""Weight: what ails the server ails everybody, so it comes first among its severity."""


def memory(sight: DetectorContext) -> Iterator[Finding]:
    """Memory near its limit: soon keys are evicted or writes refused, as the policy says."""
    health = sight.snapshot.health
    if health is None or not health.maxmemory_bytes or health.used_memory_bytes is None:
        return
    share = health.used_memory_bytes / health.maxmemory_bytes
    if share < sight.thresholds.memory_share or (share >= 1 and health.writes_blocked):
        return  # at the limit the refused writes say it all
    policy = health.maxmemory_policy or "unknown"
    threat = "it will refuse writes" if policy == "noeviction" else "it evicts keys, tasks too"
    yield Finding(
        detector="redis-memory",
        severity=Severity.WARNING,
        subject=_server(sight),
        reason=f"memory {share:.0%} full",
        sentence=f"Redis has used {share:.0%} of its memory; at the limit {threat}",
        next_step="raise maxmemory, or shorten how long completed and archived tasks are kept",
        evidence=(
            Evidence("INFO", "used_memory", size(health.used_memory_bytes)),
            Evidence("INFO", "maxmemory", size(health.maxmemory_bytes)),
            Evidence("INFO", "maxmemory_policy", policy),
        ),
        weight=_WHOLE_DEPLOYMENT * share,
    )


def evicting(sight: DetectorContext) -> Iterator[Finding]:
    """Keys were evicted while we looked: queues lose tasks without a trace."""
    told = [(p.at, p.evicted_keys) for p in sight.server_past if p.evicted_keys is not None]
    # A restart sets the count to zero: only rises count.
    rose = sum(max(0, after - before) for (_, before), (_, after) in pairwise(told))
    if rose <= 0:
        return
    health = sight.snapshot.health
    policy = (health.maxmemory_policy if health else None) or "unknown"
    yield Finding(
        detector="redis-evicting",
        severity=Severity.CRITICAL,
        subject=_server(sight),
        reason=f"{amount(rose, 'key')} evicted",
        sentence=f"Redis evicts keys for want of memory: {rose:,} in the last "
        f"{span(sight.now - told[0][0])}, tasks may be among them",
        next_step="raise maxmemory and set maxmemory-policy noeviction: a queue must not lose keys",
        evidence=(
            Evidence("INFO", "evicted_keys", f"{told[-1][1]}"),
            Evidence("INFO", "maxmemory_policy", policy),
        ),
        weight=_WHOLE_DEPLOYMENT + rose,
    )


def read_only(sight: DetectorContext) -> Iterator[Finding]:
    """This is a replica: what it shows may be late, and nobody can work on it."""
    health = sight.snapshot.health
    if health is None or health.role not in ("slave", "replica"):
        return
    down = health.master_link_up is False
    link = "unknown" if health.master_link_up is None else "down" if down else "up"
    told = "its link to the master is down: what you see is old" if down else "it takes no writes"
    yield Finding(
        detector="redis-read-only",
        severity=Severity.CRITICAL if down else Severity.WARNING,
        subject=_server(sight),
        reason="a replica, cut off" if down else "a read-only replica",
        sentence=f"this Redis is a replica: {told}",
        next_step="connect to the master; workers and producers must use it too",
        evidence=(
            Evidence("INFO", "role", health.role),
            Evidence("INFO", "master_link_status", link),
        ),
        weight=_WHOLE_DEPLOYMENT,
    )


def writes_blocked(sight: DetectorContext) -> Iterator[Finding]:
    """The server refuses writes: nobody can enqueue, beat or finish a task."""
    health = sight.snapshot.health
    if health is None or not health.writes_blocked:
        return
    yield Finding(
        detector="redis-writes-blocked",
        severity=Severity.CRITICAL,
        subject=_server(sight),
        reason="refuses writes",
        sentence=f"Redis refuses writes: {health.writes_blocked}",
        next_step="free memory or disk on the Redis host; INFO persistence and its log say more",
        evidence=(Evidence("INFO", "", health.writes_blocked),),
        weight=2 * _WHOLE_DEPLOYMENT,
    )


def failover(sight: DetectorContext) -> Iterator[Finding]:
    """Sentinel named another primary while we looked: what was written last may be lost."""
    where = sight.snapshot.redis.where
    ago = where.switched_ago_s
    if where.switched_from is None or ago is None or ago >= FAILOVER_SHOWN_S:
        return
    now, before = short(where.primary or "unknown"), short(where.switched_from)
    yield Finding(
        detector="redis-failover",
        severity=Severity.WARNING,
        subject=_server(sight),
        reason=f"primary changed {span(ago)} ago",
        sentence=f"the primary is now {now}, it was {before} until {span(ago)} ago",
        next_step=f"find out what happened to {before}: writes just before the switch may be lost",
        evidence=(
            Evidence("Sentinel", "primary", now),
            Evidence("Sentinel", "before", before),
        ),
        since=sight.now - ago,
        since_known=True,
        weight=_WHOLE_DEPLOYMENT,
    )


def slow(sight: DetectorContext) -> Iterator[Finding]:
    """Every one of the last polls took long per trip."""
    last = [point.trip_ms for point in sight.server_past[-SLOW_POLLS:]]
    known = [value for value in last if value is not None]
    if len(known) < SLOW_POLLS or min(known) <= sight.thresholds.slow_trip_ms:
        return
    middle = sorted(known)[len(known) // 2]
    yield Finding(
        detector="redis-slow",
        severity=Severity.WARNING,
        subject=_server(sight),
        reason=f"{middle:,.0f} ms per trip",
        sentence=f"Redis answers slowly: {middle:,.0f} ms per trip over {SLOW_POLLS} polls",
        next_step="look at SLOWLOG GET and at the network between here and Redis",
        evidence=tuple(Evidence("poll", "ms per trip", f"{value:.0f}") for value in known),
        weight=_WHOLE_DEPLOYMENT,
    )


def _server(sight: DetectorContext) -> Subject:
    return Subject(SubjectKind.REDIS, sight.snapshot.redis.address)


DETECTORS = (writes_blocked, evicting, memory, read_only, failover, slow)
