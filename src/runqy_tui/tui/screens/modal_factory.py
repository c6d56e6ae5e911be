"""Which modal opens for what."""

from __future__ import annotations

from collections.abc import Hashable

from runqy_tui.diagnosis.findings.finding import Subject, SubjectKind
from runqy_tui.model import QueueKey
from runqy_tui.tui.panes.pane import Pane
from runqy_tui.tui.panes.resource_panes import WorkersPane
from runqy_tui.tui.panes.tasks_pane import TasksPane
from runqy_tui.tui.screens.object_modal import ObjectModal
from runqy_tui.tui.screens.queue_modal import QueueModal
from runqy_tui.tui.screens.task_modal import TaskModal
from runqy_tui.tui.screens.worker_modal import WorkerModal
from runqy_tui.tui.session import Session


def modal_of_subject(session: Session, subject: Subject) -> ObjectModal | None:
    """Make the modal of what a finding or an alert is about; the server itself has none."""
    if subject.kind is SubjectKind.WORKER:
        return WorkerModal(session, subject.name)
    if subject.kind is SubjectKind.TASK:
        return TaskModal(session, subject.name, subject.queue)
    if subject.kind is SubjectKind.QUEUE and subject.queue is not None:
        return QueueModal(session, subject.queue)
    return None


def modal_for(pane: Pane, key: Hashable) -> ObjectModal | None:
    """Make the modal of an object of a pane; its n and N move the pane's selection."""
    if isinstance(pane, WorkersPane):
        return WorkerModal(pane.session, str(key), pane.step)
    if isinstance(pane, TasksPane) and pane.shown is not None:
        return TaskModal(pane.session, str(key), pane.shown.queue, pane.step)
    if isinstance(key, QueueKey):
        return QueueModal(pane.session, key, pane.step)
    return None
