"""The pane of queues."""

from __future__ import annotations

from typing import ClassVar

from runqy_tui.model import QueueKey
from runqy_tui.model.severity import Severity
from runqy_tui.monitor.store import View
from runqy_tui.tui.panes.resource_pane import ResourcePane
from runqy_tui.tui.session import Session
from runqy_tui.tui.tables.queue_rows import QUEUES, QueueRow, queue_rows


class QueuesPane(ResourcePane[QueueRow]):
    """Queues with their counts and rates, ranked by trouble."""

    number: ClassVar[int] = 2
    noun: ClassVar[str] = "Queues"

    def __init__(self, session: Session) -> None:
        super().__init__(session, QUEUES)

    def rows_of(self, view: View) -> list[QueueRow]:
        """Rows of a view."""
        return queue_rows(view, coarse=self.session.bandwidth.low)

    def in_view(self) -> list[QueueKey]:
        """Queues whose rows can be seen, and the selected one."""
        return self.keys_in_view(QueueKey)

    def severity(self, item: QueueRow) -> Severity:
        """How bad a queue is."""
        return item.trouble.severity

    def name_of(self, key: object) -> str:
        """Name of a queue that is gone."""
        return key.name if isinstance(key, QueueKey) else str(key)

    def copy_text(self) -> str | None:
        """Name of the selected queue."""
        key = self.table.selected
        return key.name if isinstance(key, QueueKey) else None

    def empty_text(self) -> str:
        """Why there is no queue."""
        return (
            "asynq:queues is empty in this database: no queue was ever used. The first task "
            "that is enqueued registers its queue."
        )
