"""Searching a long queue for a text that no task holds: how long, and who else notices.

    python -m benchmarks.search [--tasks 100000] [--runs 5] [--json FILE]

One queue holds all tasks, each with a ``msg`` of 330 bytes. Every way searches it from end to end,
in a process of its own, which polls the deployment meanwhile as the monitor does. Another client
sends PING all the time: what it waits for at most is how long the server was held up, machine and
all; no search runs while ``nothing`` is measured. *Longest command* is by SLOWLOG.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import threading
from collections.abc import Callable
from contextlib import aclosing, contextmanager
from dataclasses import dataclass, field
from statistics import median, quantiles
from time import perf_counter
from typing import Any

import redis
import redis.asyncio

from benchmarks.kit import subprocesses
from benchmarks.kit.fleet import admin
from benchmarks.kit.report import Report, run
from benchmarks.kit.tables import Column
from runqy_tui.demo.embedded_server import EmbeddedServer
from runqy_tui.demo.task_writer import Message
from runqy_tui.model.search_query import SearchField, SearchQuery
from runqy_tui.redis.reader import RedisReader, open_reader

QUEUE = "deep.default"
NOTHING = "nothing"
NAIVE = "LRANGE, a pipeline of HGET"
SORT = "SORT_RO … GET"
OURS = "search"
FOLDED = "search, any part, any case"
NO_SCRIPT = "search without EVAL_RO"
_NO_SCRIPT_USER = "noscript"
_CHILD = "--search-once"
_KEY = f"asynq:{{{QUEUE}}}:"
_WINDOW = 1_000
_ABSENT = b"no such text"
_COLUMNS = (
    Column("seconds", "s per 100 k", 2),
    Column("cpu", "server CPU s per 100 k", 2),
    Column("received", "MiB received per 100 k", 2),
    Column("longest", "longest command ms", 2),
    Column("ping99", "PING p99 ms", 2),
    Column("ping", "PING max ms", 1),
    Column("poll", "poll ms", 1),
)


def fill(client: redis.Redis, tasks: int) -> None:
    """One queue with so many pending tasks."""
    client.sadd("asynq:queues", QUEUE)
    for first in range(0, tasks, 5_000):
        pipe = client.pipeline(transaction=False)
        for number in range(first, min(first + 5_000, tasks)):
            task_id = f"{number:08x}-0000-4000-8000-{number:012x}"
            payload = b'{"prompt": "%s"}' % (b"a lighthouse at dusk %08d " % number * 7)
            message = Message(id=task_id, queue=QUEUE, payload=payload).encode()
            fields: dict[str, str | bytes] = {"msg": message, "state": "pending"}
            pipe.hset(f"{_KEY}t:{task_id}", mapping=fields)  # type: ignore[arg-type]
            pipe.lpush(f"{_KEY}pending", task_id)
        pipe.execute()


# The ways, each in a process of its own


async def naive(client: redis.asyncio.Redis, length: int) -> None:
    """Windows of ids, and every message whole, matched here."""
    for first in range(0, length, _WINDOW):
        ids: Any = await client.lrange(f"{_KEY}pending", first, first + _WINDOW - 1)
        pipe = client.pipeline(transaction=False)
        for task_id in ids:
            pipe.hget(f"{_KEY}t:{task_id.decode()}", "msg")
        assert not any(_ABSENT in message for message in await pipe.execute())


async def sort(client: redis.asyncio.Redis, length: int) -> None:
    """Every message whole in one command a window; needs the right to read every key."""
    command: Any = client.execute_command
    for first in range(0, length, _WINDOW):
        arguments = ("BY", "nosort", "LIMIT", first, _WINDOW, "GET", f"{_KEY}t:*->msg")
        found = await command("SORT_RO", f"{_KEY}pending", *arguments)
        assert not any(_ABSENT in message for message in found)


async def ours(reader: RedisReader, wanted: SearchQuery) -> None:
    """The monitor's own way."""
    async with aclosing(reader.search(wanted)) as steps:
        async for step in steps:
            progress = step.progress
    assert progress.done
    assert not progress.found


async def search_once(way: str, url: str, length: int) -> dict[str, float]:
    """Search once, with polls beside it."""
    reader = await open_reader(url)
    await reader.overview()
    client = redis.asyncio.Redis.from_url(url)
    text = _ABSENT.decode()
    works: dict[str, Callable[[], Any]] = {
        NOTHING: lambda: asyncio.sleep(1.0),
        NAIVE: lambda: naive(client, length),
        SORT: lambda: sort(client, length),
        OURS: lambda: ours(reader, SearchQuery(text, SearchField.PAYLOAD)),
        FOLDED: lambda: ours(reader, SearchQuery(text, SearchField.ANY, ignore_case=True)),
        NO_SCRIPT: lambda: ours(reader, SearchQuery(text, SearchField.PAYLOAD)),
    }
    polls: list[float] = []
    polling = asyncio.create_task(_poll(reader, polls))
    began = perf_counter()
    await works[way]()
    seconds = perf_counter() - began
    polling.cancel()
    await asyncio.gather(polling, return_exceptions=True)
    await client.aclose()
    await reader.close()
    return {"seconds": seconds, "poll": median(polls) if polls else float("nan")}


async def _poll(reader: RedisReader, took: list[float]) -> None:
    while True:
        began = perf_counter()
        await reader.overview()
        took.append((perf_counter() - began) * 1_000)
        await asyncio.sleep(0.1)


# What others notice


@dataclass
class Pings:
    """Round trips of another client, in milliseconds."""

    took: list[float] = field(default_factory=list)
    _over: threading.Event = field(default_factory=threading.Event)

    def send(self, client: redis.Redis) -> None:
        """One after the other, with a breath, until it is over."""
        while not self._over.wait(0.0005):
            began = perf_counter()
            client.ping()
            self.took.append((perf_counter() - began) * 1_000)

    def end(self) -> None:
        """No more of them."""
        self._over.set()


@contextmanager
def pinging(url: str) -> Any:
    """Another client, for as long as the block takes."""
    pings = Pings()
    with admin(url) as client:
        client.ping()
        thread = threading.Thread(target=pings.send, args=(client,))
        thread.start()
        try:
            yield pings
        finally:
            pings.end()
            thread.join()


def one_run(way: str, url: str, client: redis.Redis, tasks: int) -> dict[str, float | None]:
    """One run of one way: its own time, and the costs at the server and another client."""
    client.slowlog_reset()
    before = _server(client)
    with pinging(url) as pings:
        rights = url.replace("//", f"//{_NO_SCRIPT_USER}@") if way == NO_SCRIPT else url
        found = subprocesses.ask("benchmarks.search", _CHILD, way, rights, str(tasks))
    after = _server(client)
    slow = [entry["duration"] / 1_000 for entry in client.slowlog_get(128)]
    part = 100_000 / tasks
    searched = way != NOTHING
    return {
        "seconds": found["seconds"] * part if searched else None,
        "cpu": (after[0] - before[0]) * part if searched else None,
        "received": (after[1] - before[1]) * part / 2**20 if searched else None,
        "longest": max(slow, default=0.0) if searched else None,
        "ping99": quantiles(pings.took, n=100)[98],
        "ping": max(pings.took),
        "poll": found["poll"] if found["poll"] == found["poll"] else None,
    }


def _server(client: redis.Redis) -> tuple[float, int]:
    """Seconds of CPU so far, and bytes sent; the pings are in both, and alike for all ways."""
    info = client.info()
    return info["used_cpu_user"] + info["used_cpu_sys"], info["total_net_output_bytes"]


def measure(report: Report) -> None:
    """All ways on one queue."""
    tasks = 5_000 if report.options.short else report.options.tasks
    table = report.table(f"Searching {tasks:,} tasks", _COLUMNS, NAIVE)
    with EmbeddedServer(tcp=True) as server, admin(server.url) as client:
        report.log_progress("filling")
        fill(client, tasks)
        client.config_set("slowlog-log-slower-than", 100)
        client.acl_setuser(
            _NO_SCRIPT_USER, enabled=True, nopass=True, keys=["*"], commands=["+@all", "-eval_ro"]
        )
        for way in report.rounds((NAIVE, NOTHING, SORT, OURS, FOLDED, NO_SCRIPT)):
            table.add(way, **one_run(way, server.url, client, tasks))


def _extend(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--tasks", type=int, default=100_000, metavar="N", help="(100,000)")


def main() -> int:
    """Measure; or be one of the ways, for a run."""
    if sys.argv[1:2] == [_CHILD]:
        way, url, tasks = sys.argv[2:5]
        sys.stdout.write(json.dumps(asyncio.run(search_once(way, url, int(tasks)))))
        return 0
    return run("search", __doc__, measure, _extend)


if __name__ == "__main__":
    sys.exit(main())
