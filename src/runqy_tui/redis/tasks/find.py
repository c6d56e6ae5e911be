"""A task by its id alone: by the reverse index, else by asking every known queue at once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from runqy_tui.model import QueueKey, Task
from runqy_tui.redis import keys
from runqy_tui.redis.context import Context
from runqy_tui.redis.polling.index import QUEUES_PER_STEP
from runqy_tui.redis.tasks.detail import gone, read_detail
from runqy_tui.redis.wire.replies import data, integer, scan_page
from runqy_tui.redis.wire.transport import Batch
from runqy_tui.text.safe import decode

_NAMED = 5


async def find_task(context: Context, task_id: str, queue: QueueKey | None) -> Task | None:
    """Find one task; ``None`` where neither a hash nor the reverse index knows the id."""
    if queue is not None:
        task = await read_detail(context, queue, task_id)
        return task or await _by_index(context, task_id, queue)
    return await _by_index(context, task_id, None)


async def _by_index(context: Context, task_id: str, only: QueueKey | None) -> Task | None:
    index = keys.reverse_index(task_id)
    batch = Batch()
    batch.ask("HGET", index, "queue")
    batch.ask("HEXISTS", index, "payload")
    batch.ask("HEXISTS", index, "type")
    batch.ask("TIME")
    batch.ask("SSCAN", keys.QUEUES, 0, "COUNT", QUEUES_PER_STEP)
    named, has_payload, has_type, time_reply, queues = await context.trip(batch)
    for reply in (named, has_payload, has_type):
        context.allowed(reply)
    name = data(named)
    told = None if name is None else decode(name)
    if integer(has_payload) or integer(has_type):
        home = QueueKey(told or "", braced=False)
        return (
            await read_detail(context, home, task_id)
            if only in (None, QueueKey(home.name))
            else None
        )
    if only is None:
        task = await _anywhere(context, task_id, told, scan_page(queues))
        if task is not None:
            return task
        context.must(queues)
    context.must(named)  # where the index's node is down, a queue may have had it all the same
    if told is not None and only in (None, QueueKey(told)):
        return gone(QueueKey(told), task_id, context.moment(time_reply))
    return None


async def _anywhere(
    context: Context, task_id: str, told: str | None, page: tuple[int, list[bytes]] | None
) -> Task | None:
    if told is not None:
        task = await read_detail(context, QueueKey(told), task_id)
        if task is not None:
            return task
    known = {QueueKey(decode(name)) for name in page[1]} if page else set()
    holders = await _holders(context, task_id, known | context.known_queues())
    if not holders:
        return None
    task = await read_detail(context, holders[0], task_id)
    if task is None or len(holders) == 1:
        return task
    others = ", ".join(holder.name for holder in holders[1 : 1 + _NAMED])
    more = f" and {len(holders) - 1 - _NAMED} more" if len(holders) > 1 + _NAMED else ""
    return replace(task, notes=(*task.notes, f"Other queues hold this id too: {others}{more}"))


async def _holders(context: Context, task_id: str, queues: Iterable[QueueKey]) -> list[QueueKey]:
    """The queues that have a hash for the id, by name: one round trip for all."""
    asked = sorted(queues, key=lambda queue: queue.name)
    batch = Batch()
    for queue in asked:
        batch.ask("EXISTS", keys.task(queue, task_id))
    replies = await context.trip(batch)
    found = [
        queue
        for queue, reply in zip(asked, replies, strict=True)
        if integer(context.allowed(reply))
    ]
    for reply in () if found else replies:
        context.must(reply)  # nobody has it, as far as can be told: not where a node is down
    return found
