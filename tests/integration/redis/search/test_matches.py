"""What is found and where: parts, dialects, states, bytes of any kind. In both ways of reading."""

from __future__ import annotations

from typing import Any

import pytest
from redis import Redis

from runqy_tui.model import QueueKey, TaskState
from runqy_tui.model.errors import AccessDeniedError
from runqy_tui.model.search_query import SearchField
from runqy_tui.redis.checkup import acl
from runqy_tui.redis.reader import RedisReader
from runqy_tui.redis.search import matcher as candidates
from tests.conftest import OpenReader
from tests.integration.redis.search.run_search import fill, found, ids
from tests.support import dialect_writers
from tests.support.permissions import login

Q = QueueKey("q.default")


@pytest.fixture(params=["script", "plain"])
async def either(
    request: pytest.FixtureRequest, writer: Redis, bare_url: str, reader_of: OpenReader
) -> Any:
    """A reader of a user who may, or may not, run scripts."""
    if request.param == "script":
        yield await reader_of()
        return
    rule = acl.rule().replace("+eval_ro", "")
    dialect_writers.allow(writer, "noscript", f"on nopass {rule}")
    yield await reader_of(login(bare_url, "noscript", "x"))
    dialect_writers.forbid(writer, "noscript")


def full(writer: Redis, task_id: str = "id-abc-1", **fields: Any) -> None:
    message = dialect_writers.message(
        type="render.image",
        id=task_id,
        queue=Q.name,
        payload='{"prompt": "a Red bicycle"}',
        error_msg="timed out upstream",
        headers=[{"key": b"trace", "value": b"4bf92f35"}],
    )
    dialect_writers.queue(writer, Q.name)
    dialect_writers.task(writer, Q.name, task_id, **({"msg": message} | fields))
    writer.zadd(f"asynq:{{{Q.name}}}:archived", {task_id: 1_795_478_262})


@pytest.mark.parametrize(
    ("text", "part", "place"),
    [
        ("id-a", SearchField.ID, "id"),
        ("abc", SearchField.ID, None),
        ("abc", SearchField.ANY, "id"),
        ("nder.im", SearchField.TYPE, "type"),
        ("bicycle", SearchField.TYPE, None),
        ("a Red bi", SearchField.PAYLOAD, "payload"),
        ("a red bi", SearchField.PAYLOAD, None),
        ("timed out", SearchField.PAYLOAD, None),
        ("timed out", SearchField.ERROR, "error"),
        ("disk is full", SearchField.ERROR, "error"),
        ("disk is full", SearchField.PAYLOAD, None),
        ("stored", SearchField.RESULT, "result"),
        ("stored", SearchField.ERROR, None),
        ("4bf92", SearchField.HEADERS, "headers"),
        ("4bf92", SearchField.ANY, "headers"),
        ("stored", SearchField.ANY, "result"),
        ("q.default", SearchField.ANY, None),
    ],
)
async def test_each_part(
    writer: Redis, either: RedisReader, text: str, part: SearchField, place: str | None
) -> None:
    full(writer, error_msg="the disk is full", result='{"url": "stored"}')
    hits, progress = await found(either, text, part=part)
    assert [hit.place for hit in hits] == ([] if place is None else [place])
    assert (progress.searched, progress.total, progress.partly) == (1, 1, 0)
    for hit in hits:
        assert hit.key == ("id-abc-1", Q)
        assert hit.row.state is TaskState.ARCHIVED
        assert text in hit.excerpt
        assert hit.row.score == 1_795_478_262


async def test_case_is_ignored_where_asked(writer: Redis, either: RedisReader) -> None:
    full(writer)
    for part, text in (
        (SearchField.PAYLOAD, "A RED BICYCLE"),
        (SearchField.ID, "ID-ABC"),
        (SearchField.ANY, "rENDER"),
    ):
        assert ids((await found(either, text, part=part, ignore_case=True))[0]) == ["id-abc-1"]
        assert not (await found(either, text, part=part))[0]


async def test_an_undecodable_message_is_searched_as_it_is(
    writer: Redis, either: RedisReader
) -> None:
    full(writer, msg=b"\xff\xfe\x00garbage")
    hits, _ = await found(either, "garb", part=SearchField.PAYLOAD)
    assert [hit.place for hit in hits] == ["raw msg"]
    assert not hits[0].row.decodable


async def test_bytes_that_are_no_text(writer: Redis, either: RedisReader) -> None:
    payload = b"\x00\xff\x1b[2J caf\xc3\xa9 \xf0\x28"
    full(writer, msg=dialect_writers.message(type="t", id="x", queue=Q.name, payload=payload))
    for text in ("café", "\x1b[2J", "\udcff\x1b", "\udcf0("):
        assert len((await found(either, text, part=SearchField.PAYLOAD))[0]) == 1, ascii(text)


async def test_wrong_types_and_gone_tasks_stop_nothing(writer: Redis, either: RedisReader) -> None:
    fill(writer, Q.name, 3)
    writer.delete(f"asynq:{{{Q.name}}}:t:t-0")
    writer.delete(f"asynq:{{{Q.name}}}:t:t-1")
    writer.set(f"asynq:{{{Q.name}}}:t:t-1", "a string")
    writer.set(f"asynq:{{{Q.name}}}:archived", "a string too")
    hits, progress = await found(either, "<2>")
    assert ids(hits) == ["t-2"]
    assert progress.searched == 3
    (note,) = progress.notes
    assert "archived has another type" in note


async def test_every_state_group_and_dialect(writer: Redis, either: RedisReader) -> None:
    dialect_writers.queue(writer, Q.name)
    for number, state in enumerate(TaskState):
        task_id = f"in-{state.value}"
        message = dialect_writers.message(
            type="t", id=task_id, queue=Q.name, payload=f"needle {number}"
        )
        dialect_writers.task(writer, Q.name, task_id, msg=message, state=state.value)
        key = f"asynq:{{{Q.name}}}:{state.value}"
        if state is TaskState.AGGREGATING:
            writer.sadd(f"asynq:{{{Q.name}}}:groups", "g one")
            key = f"asynq:{{{Q.name}}}:g:g one"
        if state in (TaskState.PENDING, TaskState.ACTIVE):
            writer.lpush(key, task_id)
        else:
            writer.zadd(key, {task_id: 1_795_478_262})
    documented = {"type": "t", "payload": "needle in plain fields"}
    dialect_writers.put(writer, "asynq:t:plain-1", documented)
    dialect_writers.put(writer, "asynq:t:plain-2", {"type": "t", "payload": "-"})
    writer.set("asynq:result:plain-2", "the needle of a result")
    writer.lpush("asynq:old_default:pending", "plain-1", "plain-2")
    await either.overview()  # what finds lists without braces
    hits, progress = await found(either, "needle")
    assert sorted(ids(hits)) == sorted(
        [*(f"in-{state.value}" for state in TaskState), "plain-1", "plain-2"]
    )
    assert progress.total == 9
    by_id = {hit.row.id: hit for hit in hits}
    assert by_id["plain-1"].queue == QueueKey("old_default", braced=False)
    assert by_id["plain-2"].place == "result"
    assert by_id["in-aggregating"].row.state is TaskState.AGGREGATING
    only, _ = await found(either, "needle", queues=(Q,), states=(TaskState.RETRY,))
    assert ids(only) == ["in-retry"]


async def test_large_values_are_searched_in_part_and_counted(
    writer: Redis, either: RedisReader, request: pytest.FixtureRequest
) -> None:
    scripted = "script" in request.node.name
    dialect_writers.queue(writer, Q.name)
    large, huge = candidates.VALUE_LIMIT, candidates.HEAD_LIMIT
    payloads = {
        "at-start": b"needle" + b"x" * large,
        "at-end": b"x" * large + b"needle",
        "huge": b"needle" + b"x" * huge,
        "small": b"x" * (large - 100) + b"needle",
    }
    for task_id, payload in payloads.items():
        message = dialect_writers.message(type="t", id=task_id, queue=Q.name, payload=payload)
        dialect_writers.task(writer, Q.name, task_id, msg=message)
        writer.lpush(f"asynq:{{{Q.name}}}:pending", task_id)
    hits, progress = await found(either, "needle", part=SearchField.PAYLOAD)
    assert sorted(ids(hits)) == (["at-start", "small"] if scripted else ["small"])
    assert progress.partly == (2 if scripted else 3)


async def test_it_stops_at_the_most_hits(writer: Redis, either: RedisReader) -> None:
    fill(writer, Q.name, 3_000)
    hits, progress = await found(either, "kind", part=SearchField.TYPE, most=120)
    assert len(hits) == 120
    assert progress.full
    assert ids(hits) == [f"t-{number}" for number in range(2_999, 2_879, -1)], "newest first"
    assert progress.searched < 3_000


async def test_the_first_hits_come_before_the_end(writer: Redis, reader: RedisReader) -> None:
    from contextlib import aclosing

    from runqy_tui.model.search_query import SearchQuery

    fill(writer, Q.name, 5_000)
    async with aclosing(reader.search(SearchQuery("<49"))) as steps:
        async for step in steps:
            if step.hits:
                break
    assert ids(step.hits)[0] == "t-4999"
    assert not step.progress.done
    assert step.progress.searched <= 1_000
    clients = [one for one in writer.client_list() if one["user"] == acl.USER]
    assert not clients, "closing ends the connection"


async def test_a_user_who_may_read_no_task_is_told(
    writer: Redis, bare_url: str, reader_of: OpenReader
) -> None:
    fill(writer, Q.name, 3)
    dialect_writers.allow(writer, "blind", f"on nopass {acl.rule()} -hstrlen")
    reader = await reader_of(login(bare_url, "blind", "x"))
    with pytest.raises(AccessDeniedError, match="HSTRLEN"):
        await found(reader, "kind")
    dialect_writers.forbid(writer, "blind")
