"""Conditions of the Redis server itself."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from runqy_tui.diagnosis.findings.detector_context import DetectorContext
from runqy_tui.diagnosis.findings.finding import Evidence, Finding, Subject, SubjectKind
from runqy_tui.diagnosis.findings.phrasing import short
from runqy_tui.diagnosis.findings.registry import detector
from runqy_tui.model.severity import Severity
from runqy_tui.text.humanize import amount, size, span

SLOW_POLLS = 5
"""Consecutive slow polls that are reported; fewer are chance."""

FAILOVER_SHOWN_S = 600.0
"""Seconds for which a change of the primary is reported."""

_WHOLE_DEPLOYMENT = 1e6
"""Weight: what affects the server affects every queue, so it comes first within its severity."""


@detector(
    "redis-memory",
    severity=Severity.WARNING,
    title="Redis memory nearly full",
    meaning="Redis uses 90 % or more of maxmemory. At the limit it refuses writes (noeviction) or "
    "evicts keys, tasks among them, depending on maxmemory-policy.",
    evidence="used_memory, maxmemory and maxmemory_policy of INFO.",
    fix="Raise maxmemory, or shorten how long completed and archived tasks are kept.",
)
def memory(context: DetectorContext) -> Iterator[Finding]:
    """Report memory near its limit, unless refused writes report it."""
    health = context.snapshot.health
    if health is None or not health.maxmemory_bytes or health.used_memory_bytes is None:
        return
    share = health.used_memory_bytes / health.maxmemory_bytes
    if share < context.thresholds.memory_share or (share >= 1 and health.writes_blocked):
        return
    policy = health.maxmemory_policy or "unknown"
    at_limit = "refuses writes" if policy == "noeviction" else "evicts keys, including tasks"
    yield memory.finding(
        _server(context),
        reason=f"memory {share:.0%} full",
        sentence=f"Redis uses {share:.0%} of maxmemory; at the limit it {at_limit}",
        next_step="raise maxmemory, or shorten how long completed and archived tasks are kept",
        evidence=(
            Evidence("INFO", "used_memory", size(health.used_memory_bytes)),
            Evidence("INFO", "maxmemory", size(health.maxmemory_bytes)),
            Evidence("INFO", "maxmemory_policy", policy),
        ),
        weight=_WHOLE_DEPLOYMENT * share,
    )


@detector(
    "redis-evicting",
    severity=Severity.CRITICAL,
    title="Redis evicts keys",
    meaning="Redis deletes keys because its memory is full. Tasks, leases and worker records can "
    "be among them and vanish without a trace.",
    evidence="The rise of evicted_keys of INFO between polls, and maxmemory_policy.",
    fix="Raise maxmemory and set maxmemory-policy noeviction: a queue must not lose keys.",
)
def evicting(context: DetectorContext) -> Iterator[Finding]:
    """Report keys evicted during the observed polls."""
    counts = [
        (poll.at, poll.evicted_keys)
        for poll in context.server_polls
        if poll.evicted_keys is not None
    ]
    # A restart sets the count to zero: only rises count.
    rise = sum(max(0, after - before) for (_, before), (_, after) in pairwise(counts))
    if rise <= 0:
        return
    health = context.snapshot.health
    policy = (health.maxmemory_policy if health else None) or "unknown"
    yield evicting.finding(
        _server(context),
        reason=f"{amount(rise, 'key')} evicted",
        sentence=f"Redis evicted {amount(rise, 'key')} in the last "
        f"{span(context.now - counts[0][0])} because memory is full; tasks may be among them",
        next_step="raise maxmemory and set maxmemory-policy noeviction: a queue must not lose keys",
        evidence=(
            Evidence("INFO", "evicted_keys", f"{counts[-1][1]}"),
            Evidence("INFO", "maxmemory_policy", policy),
        ),
        weight=_WHOLE_DEPLOYMENT + rise,
    )


@detector(
    "redis-read-only",
    severity=Severity.CRITICAL,
    title="Connected to a replica",
    meaning="This Redis is a replica: its data may lag behind the primary's, and neither workers "
    "nor producers can write to it. Critical where its link to the primary is down, since the "
    "data is then out of date; else a warning.",
    evidence="role and master_link_status of INFO.",
    fix="Connect to the primary, and check that workers and producers use it too.",
)
def read_only(context: DetectorContext) -> Iterator[Finding]:
    """Report that the server is a replica."""
    health = context.snapshot.health
    if health is None or health.role not in ("slave", "replica"):
        return
    down = health.master_link_up is False
    link = "unknown" if health.master_link_up is None else "down" if down else "up"
    state = "its link to the primary is down, data is out of date" if down else "it is read-only"
    yield read_only.finding(
        _server(context),
        severity=Severity.CRITICAL if down else Severity.WARNING,
        reason="replica, link down" if down else "read-only replica",
        sentence=f"this Redis is a replica: {state}",
        next_step="connect to the primary; workers and producers must use it too",
        evidence=(
            Evidence("INFO", "role", health.role),
            Evidence("INFO", "master_link_status", link),
        ),
        weight=_WHOLE_DEPLOYMENT,
    )


@detector(
    "redis-writes-blocked",
    severity=Severity.CRITICAL,
    title="Redis refuses writes",
    meaning="Redis refuses writes: nothing can be enqueued, taken or finished, and heartbeats "
    "cannot be written, so healthy workers will appear lost.",
    evidence="INFO: rdb_last_bgsave_status or aof_last_write_status is err, or used_memory has "
    "reached maxmemory under the policy noeviction.",
    fix="Free memory or disk space on the Redis host; INFO persistence and the Redis log name the "
    "cause.",
)
def writes_blocked(context: DetectorContext) -> Iterator[Finding]:
    """Report that the server refuses writes."""
    health = context.snapshot.health
    if health is None or not health.writes_blocked:
        return
    yield writes_blocked.finding(
        _server(context),
        reason="refuses writes",
        sentence=f"Redis refuses writes: {health.writes_blocked}",
        next_step="free memory or disk space on the Redis host; see INFO persistence and its log",
        evidence=(Evidence("INFO", "", health.writes_blocked),),
        weight=2 * _WHOLE_DEPLOYMENT,
    )


@detector(
    "redis-failover",
    severity=Severity.WARNING,
    title="Redis failover",
    meaning="Sentinel named another primary within the last 10 minutes. Writes just before the "
    "switch may be lost: tasks can be missing or run twice.",
    evidence="The primary named by Sentinel, before and now.",
    fix="Find out what happened to the former primary, and check that workers and producers "
    "followed the switch.",
)
def failover(context: DetectorContext) -> Iterator[Finding]:
    """Report a change of the primary, for ten minutes."""
    where = context.snapshot.redis.where
    ago = where.switched_ago_s
    if where.switched_from is None or ago is None or ago >= FAILOVER_SHOWN_S:
        return
    now, before = short(where.primary or "unknown"), short(where.switched_from)
    yield failover.finding(
        _server(context),
        reason=f"primary changed {span(ago)} ago",
        sentence=f"the primary is now {now}, it was {before} until {span(ago)} ago",
        next_step=f"find out what happened to {before}: writes just before the switch may be lost",
        evidence=(
            Evidence("Sentinel", "primary", now),
            Evidence("Sentinel", "before", before),
        ),
        since=context.now - ago,
        weight=_WHOLE_DEPLOYMENT,
    )


@detector(
    "redis-slow",
    severity=Severity.WARNING,
    title="Redis slow",
    meaning="Each of the last 5 polls took more than 500 ms per round trip: the server is busy "
    "with slow commands, or the network is slow. Workers are slowed down as well if they share "
    "the cause.",
    evidence="Milliseconds per round trip of the last polls.",
    fix="Check SLOWLOG GET and the CPU of the Redis host, and the network between here and Redis.",
)
def slow(context: DetectorContext) -> Iterator[Finding]:
    """Report that every one of the last polls was slow."""
    last = [poll.trip_ms for poll in context.server_polls[-SLOW_POLLS:]]
    known = [value for value in last if value is not None]
    if len(known) < SLOW_POLLS or min(known) <= context.thresholds.slow_trip_ms:
        return
    median = sorted(known)[len(known) // 2]
    yield slow.finding(
        _server(context),
        reason=f"{median:,.0f} ms per round trip",
        sentence=f"Redis is slow: {median:,.0f} ms per round trip over {SLOW_POLLS} polls",
        next_step="check SLOWLOG GET, and the network between here and Redis",
        evidence=[Evidence("poll", "ms per round trip", f"{value:.0f}") for value in known],
        weight=_WHOLE_DEPLOYMENT,
    )


def _server(context: DetectorContext) -> Subject:
    return Subject(SubjectKind.REDIS, context.snapshot.redis.address)
