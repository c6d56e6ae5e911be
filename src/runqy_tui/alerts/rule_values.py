"""The value of each object that a rule covers, from a diagnosis.

Whether a worker is healthy is decided here, for rules, exporter and Prometheus alike.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple, Protocol

from runqy_tui.alerts.rule import FAILURE_WINDOW_S, RateUnit, Rule, RuleKind
from runqy_tui.diagnosis.findings.detector_context import Thresholds
from runqy_tui.diagnosis.findings.finding import Finding, Subject, SubjectKind
from runqy_tui.diagnosis.findings.phrasing import queue_name, short
from runqy_tui.model import Queue, QueueKey, Snapshot, Worker, WorkerState
from runqy_tui.text.humanize import age, span

if TYPE_CHECKING:
    from runqy_tui.diagnosis.diagnoser import Diagnosis

GONE_AFTER_S = Thresholds().lost_fresh_s
"""A lost worker is unhealthy for this many seconds and then no longer counted: runqy sets the same
lifetime on an index entry after the last heartbeat."""


def worker_health(worker: Worker) -> bool | None:
    """Whether a worker can take tasks; ``None`` where it does not report its health (asynq)."""
    if worker.state in (WorkerState.DEGRADED, WorkerState.STALE, WorkerState.LOST):
        return False
    return worker.healthy


def is_present(worker: Worker, snapshot: Snapshot) -> bool:
    """Whether a worker still counts as one: neither stopped nor lost for long."""
    if worker.state is WorkerState.LOST:
        lost_s = snapshot.last_beat_age_s(worker)
        return lost_s is not None and lost_s < GONE_AFTER_S
    return worker.state is not WorkerState.STOPPED


class Increases(Protocol):
    """Increases of counters, as :class:`runqy_tui.observation.history.History` computes them."""

    def increase(self, queue: QueueKey, name: str, over_s: float) -> float | None:
        """Increase of ``done`` or ``failed`` in the last ``over_s`` seconds; ``None``: unknown."""
        ...


class RuleValue(NamedTuple):
    """The value of one object; ``None`` where it is unknown.

    ``key`` identifies the object within the rule. ``sentence`` states the value, or why there is
    none; it contains untrusted names.
    """

    key: str
    subject: Subject
    value: float | None
    sentence: str
    next_step: str = ""


def evaluate_rule(rule: Rule, diagnosis: Diagnosis, history: Increases) -> Iterable[RuleValue]:
    """Yield the value of each object of a rule; healthy objects may be omitted."""
    return _KINDS[rule.kind](rule, diagnosis, history)


def _workers(rule: Rule, diagnosis: Diagnosis, _: Increases) -> Iterator[RuleValue]:
    snapshot = diagnosis.snapshot
    for worker in snapshot.workers:
        healthy = worker_health(worker)
        if healthy or not is_present(worker, snapshot) or not rule.workers.match(worker.id):
            continue
        value, sentence = None, f"worker {short(worker.id)} does not report its health"
        if healthy is not None:
            value, sentence = 1.0, _condition(worker, snapshot)
        yield RuleValue(worker.id, Subject(SubjectKind.WORKER, worker.id), value, sentence)


def _condition(worker: Worker, snapshot: Snapshot) -> str:
    sentence = f"worker {short(worker.id)} is {worker.state}"
    beat_age_s = snapshot.last_beat_age_s(worker)
    return sentence if beat_age_s is None else f"{sentence}, last heartbeat {age(beat_age_s)} ago"


def _queues(rule: Rule, diagnosis: Diagnosis) -> Iterator[Queue]:
    return (queue for queue in diagnosis.snapshot.queues if rule.queues.match(queue.name))


def _about(queue: QueueKey) -> tuple[str, Subject, str]:
    """Return key, subject and display name of a queue."""
    key = f"{queue.braced:d}{queue.name}"
    return key, Subject(SubjectKind.QUEUE, queue.name, queue), queue_name(queue)


def _depth(rule: Rule, diagnosis: Diagnosis, _: Increases) -> Iterator[RuleValue]:
    for queue in _queues(rule, diagnosis):
        key, subject, name = _about(queue.key)
        pending = queue.counts.pending
        if pending is None:
            sentence = f"the pending tasks of {name} cannot be counted"
        else:
            sentence = f"{name} has {pending:,} pending (over {rule.threshold:,.15g})"
        yield RuleValue(key, subject, None if pending is None else float(pending), sentence)


def _failures(rule: Rule, diagnosis: Diagnosis, history: Increases) -> Iterator[RuleValue]:
    share = rule.unit is RateUnit.SHARE
    for queue in _queues(rule, diagnosis):
        failed = history.increase(queue.key, "failed", FAILURE_WINDOW_S)
        counted = queue.succeeded_total is not None or not share
        if failed is not None and failed < rule.least and counted:
            continue
        key, subject, name = _about(queue.key)
        done = history.increase(queue.key, "done", FAILURE_WINDOW_S) if share else 0.0
        if failed is None or done is None or not counted:
            sentence = f"failure rate of {name} unknown"
            yield RuleValue(key, subject, None, sentence)
            continue
        if share:
            rate = failed / (failed + done)
            sentence = (
                f"{rate:.0%} of tasks in {name} fail, {failed:,.0f} of {failed + done:,.0f} "
                f"in 5 min (over {rule.threshold:.0%})"
            )
        else:
            rate = failed / FAILURE_WINDOW_S
            sentence = f"{rate:.2g} tasks/s in {name} fail (over {rule.threshold:g}/s)"
        yield RuleValue(key, subject, rate, sentence)


def _slow(rule: Rule, diagnosis: Diagnosis, _: Increases) -> Iterator[RuleValue]:
    for queue_key, seen in diagnosis.durations.items():
        if not seen.count or not rule.queues.match(queue_key.name):
            continue
        key, subject, name = _about(queue_key)
        if seen.count < rule.least or seen.p95_s is None:
            sentence = f"only {seen.count} finished tasks in {name} observed"
            yield RuleValue(key, subject, None, sentence)
            continue
        around = "" if seen.plus_minus_s is None else f" ±{seen.plus_minus_s:.2g}s"
        sentence = (
            f"{name} takes {span(seen.p95_s)}{around} at p95, observed over {seen.count:,} "
            f"(over {span(rule.threshold)})"
        )
        yield RuleValue(key, subject, seen.p95_s, sentence)


def _findings(rule: Rule, diagnosis: Diagnosis, _: Increases) -> Iterator[RuleValue]:
    for finding in diagnosis.findings:
        if finding.severity >= rule.at_least and _concerns(rule, finding):
            yield RuleValue(
                finding.id, finding.subject, 1.0, finding.sentence, next_step=finding.next_step
            )


def _concerns(rule: Rule, finding: Finding) -> bool:
    if not rule.detectors.match(finding.detector):
        return False
    if rule.queues.all and rule.workers.all:
        return True
    queue, subject = finding.subject.queue, finding.subject
    if not rule.queues.all and queue is not None and rule.queues.match(queue.name):
        return True
    named = not rule.workers.all and subject.kind is SubjectKind.WORKER
    return named and rule.workers.match(subject.name)


_KINDS: Mapping[RuleKind, Callable[[Rule, Diagnosis, Increases], Iterable[RuleValue]]] = {
    RuleKind.WORKER_UNHEALTHY: _workers,
    RuleKind.QUEUE_DEPTH: _depth,
    RuleKind.FAILURE_RATE: _failures,
    RuleKind.SLOW_TASKS: _slow,
    RuleKind.FINDING: _findings,
}
