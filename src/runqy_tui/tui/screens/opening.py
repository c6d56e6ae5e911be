"""Which modal opens for what."""

from __future__ import annotations

from collections.abc import Hashable

from runqy_tui.model import QueueKey
from runqy_tui.tui.panes.base import Pane
from runqy_tui.tui.panes.tasks import TasksPane
from runqy_tui.tui.panes.workers import WorkersPane
from runqy_tui.tui.screens.modal import ObjectModal
from runqy_tui.tui.screens.queue import QueueModal
from runqy_tui.tui.screens.task import TaskModal
from runqy_tui.tui.screens.worker import WorkerModal


def modal_for(pane: Pane, key: Hashable) -> ObjectModal | None:
    """Make the modal of an object of a pane; its n and N move the pane's selection."""
    if isinstance(pane, WorkersPane):
        return WorkerModal(pane.session, str(key), pane.step)
    if isinstance(pane, TasksPane) and pane.shown is not None:
        return TaskModal(pane.session, str(key), pane.shown.queue, pane.step)
    if isinstance(key, QueueKey):
        return QueueModal(pane.session, key, pane.step)
    return None
