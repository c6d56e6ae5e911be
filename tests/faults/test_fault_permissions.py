"""One command is forbidden, or renamed away: the rest works on, and the command is named."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import redis

from runqy_tui.model import Snapshot, Task
from runqy_tui.model.errors import AccessDeniedError
from runqy_tui.redis.reader import RedisReader, open_reader
from tests.faults.every_question import COMMANDS, QUESTIONS, fill
from tests.faults.poll_watcher import watching, well_said
from tests.support import dialect_writers
from tests.support.servers import RealServer, debian

QUIET = frozenset({"INFO"})
"""Its refusal is no warning: version, memory and role are unknown, and said to be."""

OWN_WORDS = {"EVAL_RO": "allows no partial read (EVAL_RO)"}
"""What is read another way, and what that costs."""


@pytest.fixture(scope="module")
def filled(shared: RealServer) -> RealServer:
    """The shared server with data that every question finds something in."""
    with shared.client() as client:
        client.flushall()
        fill(client)
    return shared


async def answers(reader: RedisReader) -> dict[str, Any]:
    """What each question gives: an answer, or the one line of its refusal."""
    found: dict[str, Any] = {}
    for name, question in QUESTIONS.items():
        try:
            found[name] = await question(reader)
        except AccessDeniedError as error:
            found[name] = error
    return found


def says(found: Any) -> list[str]:
    """Warnings and notes of an answer, or its refusal."""
    if isinstance(found, AccessDeniedError):
        return [str(found)]
    if isinstance(found, Snapshot):
        return list(found.warnings)
    return list(found.notes) if isinstance(found, Task) else []


def named_in(found: dict[str, Any], command: str, sign: str) -> list[str]:
    """Which questions say that this command is missing."""
    return [
        name
        for name, answer in found.items()
        if any(command in text and sign in text for text in says(answer))
    ]


async def test_every_command_is_asked_for(filled: RealServer) -> None:
    """Otherwise the tests below would pass for a command that nobody sends."""
    with filled.client() as client:
        client.config_resetstat()
        reader = await open_reader(filled.url)
        found = await answers(reader)
        await reader.close()
        statistics: Any = client.info("commandstats")
    asked = {name.removeprefix("cmdstat_").upper() for name in statistics}
    assert set(COMMANDS) - asked == set()
    assert not [name for name, one in found.items() if isinstance(one, AccessDeniedError)]
    assert found["task by id"].error is not None


@pytest.mark.parametrize("command", COMMANDS)
async def test_forbidden(filled: RealServer, command: str) -> None:
    with filled.client() as client:
        dialect_writers.allow(client, "few", f"on >pw ~asynq:* +@all -{command.lower()}")
    reader = await open_reader(filled.url.replace("//", "//few:pw@"))
    found = await answers(reader)
    await reader.close()
    _carries_on(found, command, "(NOPERM)")


def _carries_on(found: dict[str, Any], command: str, sign: str) -> None:
    for name, answer in found.items():
        if isinstance(answer, AccessDeniedError):
            assert command in str(answer), f"{name}: {answer}"
    for name in ("overview", "overview again"):
        assert isinstance(found[name], Snapshot), found[name]
        queues = {queue.name for queue in found[name].queues}
        assert {"alpha.high", "alpha.low", "beta.default"} <= queues, "what may be read is shown"
        unregistered = [text for text in found[name].warnings if "is not in asynq:queues" in text]
        assert not unregistered, "nobody can tell that"
    if command in QUIET:
        assert found["overview"].redis.version is None
    else:
        sign = OWN_WORDS.get(command, sign)
        assert named_in(found, command, sign), {name: says(one) for name, one in found.items()}
    working = [name for name, one in found.items() if not isinstance(one, AccessDeniedError)]
    assert len(working) >= 6, working


async def test_no_right_to_any_key(filled: RealServer) -> None:
    with filled.client() as client:
        dialect_writers.allow(client, "keyless", "on >pw +@all")
    reader = await open_reader(filled.url.replace("//", "//keyless:pw@"))
    with pytest.raises(AccessDeniedError, match=r"user read a key \(NOPERM\): ") as raised:
        await reader.overview()
    await reader.close()
    well_said(str(raised.value), filled)


@pytest.fixture(scope="module", params=COMMANDS)
def renamed(request: pytest.FixtureRequest) -> Iterator[tuple[str, RealServer]]:
    """Debian's Redis without one command; every second one has another name there."""
    command: str = request.param
    other = '""' if COMMANDS.index(command) % 2 else f"hidden-{command.lower()}"
    options = {"rename-command": f"{command} {other}"}
    with RealServer(debian(), options) as server:
        yield command, server


async def test_renamed_away(renamed: tuple[str, RealServer]) -> None:
    command, server = renamed
    with server.client() as client:
        _fill_without(client, command)
    reader = await open_reader(server.url)
    found = await answers(reader)
    await reader.close()
    _carries_on(found, command, f"does not know {command}: it was renamed there")


def _fill_without(client: redis.Redis, command: str) -> None:
    if command == "TIME":
        client.time = lambda **_: (1_795_478_262, 0)  # type: ignore[method-assign]
    fill(client)


async def test_a_server_before_redis_7() -> None:
    """It lacks EVAL_RO: large values are read whole, up to a limit, and a note says so."""
    options = {"rename-command": 'EVAL_RO ""'}
    with RealServer(debian(), options) as server, server.client() as client:
        fill(client)
        reader = await open_reader(server.url)
        task = await reader.task("large")
        await reader.close()
    assert task is not None
    assert task.error is not None
    assert any("EVAL_RO" in note for note in task.notes)


async def test_hello_is_never_sent() -> None:
    """Servers that speak RESP2 alone will do, with a password too."""
    options = {"rename-command": 'HELLO ""', "requirepass": "right"}
    with RealServer(debian(), options) as server:
        with server.client(password="right", protocol=2) as client:
            fill(client)
        reader = await open_reader(server.url.replace("//", "//:right@"))
        snapshot = await reader.overview()
        await reader.close()
    assert len(snapshot.queues) >= 5
    assert not [text for text in snapshot.warnings if "Redis" in text]


async def test_what_the_closer_looks_lack_is_said(filled: RealServer) -> None:
    with filled.client() as client:
        dialect_writers.allow(client, "few", "on >pw ~asynq:* +@all -hstrlen")
    async with watching(filled.url.replace("//", "//few:pw@")) as seen:
        await seen.live()
        unread = seen.store.live.unread or ""
        assert "does not let this user run HSTRLEN (NOPERM)" in unread
        assert "worker-degraded:sick:2" in seen.findings
        assert len(seen.snapshot.workers) == 4
