"""What became of tasks that were active."""

from __future__ import annotations

import redis

from runqy_tui.model import CheckedTask, QueueKey, TaskState
from runqy_tui.redis.reader import RedisReader
from tests.conftest import OpenReader
from tests.support.captures import Captures, frozen_at

Q = QueueKey("q")


async def test_fates_in_captures(captures: Captures, reader_of: OpenReader) -> None:
    reader = await reader_of(clock=frozen_at(captures.load("runqy-07")))
    names = {
        "7f1d9cb4-c255-4ba1-bd39-82ee59d53ee0": "flaky.default",
        "8d6e633c-58fa-48db-a3f9-ca9dfcd93bb4": "flaky.default",
        "932400bf-8937-4933-a2c0-180ace560651": "flaky.default",
        "62054149-a30b-4540-af25-cc05192d22ef": "oneshot.default",
        "4134e4a2-912e-4134-8fe2-f58f8be48d02": "nostore.default",
    }
    before = reader.link.round_trips
    done, dead, again, busy, gone = await reader.read_outcomes(
        [(QueueKey(name), task_id) for task_id, name in names.items()]
    )
    assert reader.link.round_trips - before == 1
    assert [task.id for task in (done, dead, again, busy, gone)] == list(names)
    assert (done.state, done.completed_at) == (TaskState.COMPLETED, 1795478312)
    assert (dead.state, dead.last_failed_at) == (TaskState.ARCHIVED, 1795478928)
    assert (again.state, again.last_failed_at) == (TaskState.RETRY, 1795484097)
    assert (busy.state, busy.completed_at, busy.last_failed_at) == (TaskState.ACTIVE, None, None)
    assert gone == CheckedTask("4134e4a2-912e-4134-8fe2-f58f8be48d02", missing=True)


async def test_fates_of_a_thousand(writer: redis.Redis, reader: RedisReader) -> None:
    fates = await reader.read_outcomes([(Q, f"t{number}") for number in range(1_200)])
    assert len(fates) == 1_000
    assert fates[-1] == CheckedTask("t999", missing=True)
    assert reader.link.round_trips == 1
