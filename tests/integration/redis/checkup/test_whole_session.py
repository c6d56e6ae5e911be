"""The real program, all of it, as the user that ``runqy-tui acl`` prints: it reads and no more."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from redis import Redis
from redis.exceptions import NoPermissionError

from runqy_tui.model import QueueKey, TaskState
from runqy_tui.redis.checkup import acl
from runqy_tui.redis.wire.command_encoding import ALLOWED
from runqy_tui.tui.screens.object_modal import ObjectModal
from tests.app import scenes
from tests.app.driving import SMALL, Hand, app_on, watching
from tests.integration.conftest import Cli, Result
from tests.integration.exporter.conftest import Exporter
from tests.integration.redis.checkup.monitored_commands import listening
from tests.support import dialect_writers
from tests.support.permissions import login, refusals
from tests.support.servers import RealServer, debian, embedded

ELSEWHERE = {"ASKING", "CLUSTER SLOTS", "SENTINEL GET-MASTER-ADDR-BY-NAME"}
"""What is sent in a cluster, and to a Sentinel, only."""

BY_THE_LIBRARY = {"AUTH", "SELECT"}
"""What redis-py sends by itself."""

OWN = {"config|resetstat", "echo", "monitor"}
"""What this test sends while the statistics run."""

MODALS = {"1": "WorkerModal", "2": "QueueModal", "3": "TaskModal", "4": "a finding"}
LISTS = {"e": "ErrorsModal", "a": "AlertsModal", "w": "findings", "question_mark": "HelpModal"}
TABS = ["right_square_bracket"] * 6


@dataclass(frozen=True)
class Watched:
    """A server with something for every view, and a client of it that may do everything."""

    server: RealServer
    admin: Any

    @property
    def url(self) -> str:
        return login(self.server.url, acl.USER, acl.PLACEHOLDER)

    @contextmanager
    def reads_only(self) -> Iterator[set[str]]:
        """Whatever is done in this block must read only; gives the commands, when it has ended."""
        seen: set[str] = set()
        own = str(self.admin.client_info()["addr"])
        before = digest(self.admin)
        self.admin.config_resetstat()
        with listening(self.admin, self.server.port) as heard:
            yield seen
        counted = {name.removeprefix("cmdstat_") for name in self.admin.info("commandstats")}
        assert digest(self.admin) == before, "something was written"
        seen |= heard.of_others(own)
        assert seen - ALLOWED - BY_THE_LIBRARY == set(), "MONITOR heard what is not on the list"
        # MONITOR shows no command of an administrator: the statistics do.
        allowed = {name.lower().replace(" ", "|") for name in ALLOWED | BY_THE_LIBRARY}
        assert counted - allowed - OWN == set(), "commandstats counts what is not on the list"
        assert refusals(self.admin, acl.USER) == []


@pytest.fixture(scope="module", params=["valkey", "redis"])
def watched(request: pytest.FixtureRequest) -> Iterator[Watched]:
    binary = embedded() if request.param == "valkey" else debian()
    options = {"enable-debug-command": "yes"}
    with RealServer(binary, options) as server, server.client() as client:
        admin: Any = client
        admin.execute_command(acl.set_user())
        populate(admin)
        yield Watched(server, admin)


def populate(writer: Redis) -> None:
    """Something for every view: each dialect, each state, values beyond the limit."""
    now = scenes.small_fleet(writer)
    scenes.full_task(writer)
    writer.rpush("asynq:workers:sick:2:logs", *(dialect_writers.log_line(at) for at in range(40)))
    dialect_writers.task(
        writer, "a.default", "big", msg=dialect_writers.message(type="t", payload=b"p" * 600_000)
    )
    dialect_writers.task(writer, "a.default", "odd", mystery="x")
    writer.hset("asynq:t:big", "queue", "a.default")
    writer.lpush("asynq:{a.default}:pending", "big", "odd")
    writer.lpush("asynq:{a.default}:active", "held")
    dialect_writers.task(writer, "a.default", "held", state="active")
    writer.zadd("asynq:{a.default}:lease", {"held": now - 100})
    writer.sadd("asynq:{a.default}:groups", "g")
    writer.zadd("asynq:{a.default}:g:g", {"the-task": 1})
    for state in ("scheduled", "completed"):
        writer.zadd(f"asynq:{{a.default}}:{state}", {"the-task": now + 1_000})
    scenes.retry(writer, "a.default", "late", now + 1_000)
    dialect_writers.server(writer, "h:1:u", now, {"a.default": 1})
    writer.hset("asynq:workers:{h:1:u}", "held", b"\x22\x04held")
    writer.lpush("asynq:plain:pending", "p1")
    writer.hset("asynq:t:p1", mapping={"payload": "x", "queue": "plain"})
    writer.set("asynq:result:p1", "r" * 300_000)


def digest(admin: Any) -> object:
    """Of every key with its type, value and expiry; DUMP also tells how a hash lies in memory."""
    return admin.execute_command("DEBUG", "DIGEST")


async def walk_through_the_app(url: str) -> None:
    """Every pane, every tab of every modal, every list, and the report."""
    async with watching(app_on(url, interval=0.3), SMALL) as hand:
        for pane in MODALS:
            await look_into(hand, pane)
        for key in LISTS:
            await open_and_close(hand, key)
        await find(hand, "big", "odd", "late", "p1")
        # The list asks this where a selected task moves, and here nothing may move.
        reader = hand.poller.reader
        assert reader is not None
        assert await reader.position(QueueKey("a.default"), TaskState.RETRY, "late") == 0
        await hand.press("p", "p", "R")
        await hand.hears("Saved ")
        await hand.polls(1)


async def look_into(hand: Hand, pane: str) -> None:
    await hand.press(pane)
    if pane == "3":
        await at_once(hand, *TABS)
        while hand.tasks.selected is None:
            await hand.press("right_square_bracket")
            await hand.polls(1)
    await hand.press("enter")
    await hand.until(lambda: hand.screen is not hand.main, MODALS[pane])
    if isinstance(hand.screen, ObjectModal):
        await at_once(hand, *TABS[: len(hand.screen.TABS) - 1], "n")
        await hand.polls(1)
    await back(hand)


async def at_once(hand: Hand, *keys: str) -> None:
    """Press keys and draw no picture in between: what they ask of Redis is the same."""
    for key in keys:
        hand.send(key)
    await hand.settle()


async def open_and_close(hand: Hand, key: str) -> None:
    await hand.press(key)
    await hand.until(lambda: hand.screen is not hand.main, LISTS[key])
    await back(hand)


async def find(hand: Hand, *ids: str) -> None:
    for task_id in ids:
        await hand.press("i")
        await at_once(hand, *task_id, "enter")
        await hand.opens("TaskModal")
        await back(hand)


async def back(hand: Hand) -> None:
    while hand.screen is not hand.main:
        await hand.press("escape")


def run_every_command(here: Callable[..., Result], *common: str) -> None:
    """The one-shot commands."""
    for code, words in (
        (0, "snapshot"),
        (0, "task held --json"),
        (0, "task big"),
        (2, "check"),
        (0, "report -o - --for 0s --with-payloads"),
        (0, "doctor"),
    ):
        result = here(*common, *words.split(), TERM="xterm-256color")
        assert result.code == code, (words, result.out, result.err)


def scrape(cli: Cli, *common: str) -> None:
    """The exporter, as a process of its own."""
    words = (*common, "metrics", "--listen", "127.0.0.1:0")
    with cli.popen(*words, stdout=subprocess.PIPE) as process:
        exporter = Exporter(process)
        exporter.wait_until_it_serves()
        exporter.until(lambda seen: seen.get("runqy_up") == 1)
        assert exporter.stop()[0] == 0


@pytest.mark.parametrize("watched", ["valkey"], indirect=True)
def test_the_monitor_only_reads(
    watched: Watched, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with watched.reads_only() as seen:
        asyncio.run(walk_through_the_app(watched.url))
    assert ALLOWED - ELSEWHERE - seen == set(), "on the list, and yet never used"


def test_every_other_command_only_reads(
    watched: Watched, tmp_path: Path, here: Callable[..., Result]
) -> None:
    common = ("--url", watched.url, "--interval", "0.2")
    with watched.reads_only() as seen:
        scrape(Cli(tmp_path), *common)
        run_every_command(here, *common)
    assert len(seen & ALLOWED) > 20


def test_nothing_on_the_list_writes(watched: Watched) -> None:
    """By what the server itself says of each command."""
    for name in sorted(ALLOWED - {"SENTINEL GET-MASTER-ADDR-BY-NAME"}):
        (info,) = watched.admin.execute_command("COMMAND", "INFO", name.replace(" ", "|")).values()
        assert "write" not in info["flags"], name
        assert not {b"@write", "@write"} & set(info.get("acl_categories", ())), name


def test_a_write_would_be_seen(watched: Watched) -> None:
    """The proof itself can fail: on a write, on a command off the list, on a refusal."""
    plain: dict[str, Any] = {"driver_info": None, "protocol": 2}
    client: Any = watched.server.client(**plain)
    monitor: Any = watched.server.client(username=acl.USER, password=acl.PLACEHOLDER, **plain)

    def refused() -> None:
        with pytest.raises(NoPermissionError):
            monitor.mget("other")

    with client, monitor:
        for deed, complaint in (
            (lambda: client.incr("asynq:written"), "something was written"),
            (lambda: client.smembers("asynq:queues"), "MONITOR heard"),
            (lambda: client.config_get("port"), "commandstats counts"),
            (refused, "key other"),
        ):
            with pytest.raises(AssertionError, match=complaint), watched.reads_only():
                deed()
    watched.admin.acl_log_reset()
