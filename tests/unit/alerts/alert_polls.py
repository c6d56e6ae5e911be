"""Polls for the rules, made of the model, with a real history behind them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from runqy_tui.alerts.alert_states import AlertBoard, Alerts
from runqy_tui.alerts.rule import Rule
from runqy_tui.diagnosis.diagnoser import Diagnosis
from runqy_tui.diagnosis.findings.finding import Finding, Subject, SubjectKind
from runqy_tui.model import Queue, QueueKey, Worker
from runqy_tui.model.severity import Severity
from runqy_tui.observation.durations import ObservedDurations
from runqy_tui.observation.history import History
from runqy_tui.runtime.cooperative import run_to_end
from tests.support.builders import NOW, snapshot


class Judge:
    """Evaluates rules over polls whose time the test gives, in seconds from the first."""

    def __init__(self, *rules: Rule, gap_s: float = 30.0) -> None:
        self.alerts = Alerts(rules, gap_s=gap_s)
        self.history = History()

    def poll(
        self,
        at: float,
        *,
        queues: Sequence[Queue] = (),
        workers: Sequence[Worker] = (),
        findings: Sequence[Finding] = (),
        durations: Mapping[QueueKey, ObservedDurations] | None = None,
    ) -> AlertBoard:
        seen = snapshot(queues=tuple(queues), workers=tuple(workers), taken_at=NOW + at)
        run_to_end(self.history.observe(seen))
        diagnosis = Diagnosis(seen, tuple(findings), {}, durations or {})
        return run_to_end(self.alerts.update(diagnosis, self.history))


def finding(
    detector: str,
    severity: Severity = Severity.CRITICAL,
    *,
    queue: str | None = None,
    worker: str = "gpu-1:1",
) -> Finding:
    """A finding about a queue where one is named, else about a worker."""
    subject = (
        Subject(SubjectKind.WORKER, worker)
        if queue is None
        else Subject(SubjectKind.QUEUE, queue, QueueKey(queue))
    )
    return Finding(
        detector, severity, subject, "short", f"{detector} of {subject.name}", "look there"
    )
