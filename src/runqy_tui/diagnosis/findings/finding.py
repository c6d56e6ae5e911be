"""A finding: one thing that is wrong, with its object, evidence and next step."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from runqy_tui.model import QueueKey
from runqy_tui.model.severity import Severity


class SubjectKind(StrEnum):
    """Kinds of objects of findings."""

    WORKER = "worker"
    QUEUE = "queue"
    TASK = "task"
    REDIS = "redis"


class Subject(NamedTuple):
    """The object of a finding: a worker's id, a queue, a task of a queue, or the server.

    ``name`` is untrusted: the worker's or task's id, the queue's name, the server's address.
    """

    kind: SubjectKind
    name: str
    queue: QueueKey | None = None


class Evidence(NamedTuple):
    """One fact that proves a finding: a Redis key, a field or command, and its value.

    All three are untrusted text for display and never hold a payload.
    """

    key: str
    field: str
    value: str


class Finding(NamedTuple):
    """One thing that is wrong.

    ``detector`` is the id of its detector, such as ``worker-degraded``; with the subject it makes
    :attr:`id`. ``reason`` is a few words for a table's note. ``sentence`` names object, condition
    and number. ``next_step`` begins with a verb. ``since`` is a unix second by Redis's clock: from
    the data (``since_known``), else set by the tracker to when the finding was first seen.
    ``before_start``: it was already present at the first poll, so it is at least that old.
    ``weight`` orders findings of one severity, the larger first.
    """

    detector: str
    severity: Severity
    subject: Subject
    reason: str
    sentence: str
    next_step: str
    evidence: tuple[Evidence, ...] = ()
    since: float | None = None
    since_known: bool = False
    before_start: bool = False
    acknowledged_at: float | None = None
    weight: float = 0.0

    @property
    def id(self) -> str:
        """Stable between polls: the detector and its subject.

        Tasks of one queue share a finding, whose example changes: the queue identifies it.
        """
        subject = self.subject
        braces = "" if subject.queue is None or subject.queue.braced else "~"
        queue = "" if subject.queue is None else f"{braces}{subject.queue.name}/"
        return f"{self.detector}:{queue}{'' if subject.kind is SubjectKind.TASK else subject.name}"


def urgency(finding: Finding) -> tuple[int, float, float, str]:
    """Sort key of findings: severity, then weight, then the oldest, then the id."""
    since = float("inf") if finding.since is None else finding.since
    return -finding.severity, -finding.weight, since, finding.id
