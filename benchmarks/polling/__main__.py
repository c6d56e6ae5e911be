"""One way to poll, measured in a process of its own; prints JSON.

    python -m benchmarks.polling WAY URL --queues N --workers N [--polls N] [--pause S]

``WAY``: a name of ``ways.WAYS``; ``floor``, bare sockets with the commands of a full refresh;
``replay``, bare sockets with what ``record`` kept of ours in ``--file``; or ``pulse``, a program
that pushes to a list and pops from it.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import pickle
import sys
import time
from collections.abc import Awaitable
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from benchmarks.kit.sizes import Size
from benchmarks.polling.bare_sockets import BareConnection, timed
from benchmarks.polling.commands import full_refresh, wire
from benchmarks.polling.readers import WAYS

if TYPE_CHECKING:
    from benchmarks.polling.server import Watch

_TICK_S = 0.001


def main() -> None:
    """Measure one way and print what came of it."""
    usage = argparse.ArgumentParser(description=__doc__)
    usage.add_argument("way", choices=["floor", "record", "replay", "pulse", *WAYS])
    usage.add_argument("url")
    usage.add_argument("--queues", type=int, default=0)
    usage.add_argument("--workers", type=int, default=0)
    usage.add_argument("--polls", type=int, default=1)
    usage.add_argument("--pause", type=float, default=0.0, help="seconds between two polls")
    usage.add_argument("--idle", type=float, default=0.0, help="seconds to see the server idle")
    usage.add_argument("--seconds", type=float, default=1.0, help="how long the pulse runs")
    usage.add_argument("--file", type=Path)
    usage.add_argument("--without-hiredis", action="store_true")
    options = usage.parse_args()
    if options.without_hiredis:
        sys.modules["hiredis"] = None  # type: ignore[assignment]  # an import of it fails
    sys.stdout.write(json.dumps(_measured(options)) + "\n")


def _measured(options: argparse.Namespace) -> dict[str, Any]:
    if options.way == "floor":
        wires = [wire(command) for command in full_refresh(_size(options))]
        return _bare(options, [[b"".join(wires)]] * (options.polls + 1))
    if options.way == "replay":
        polls: list[list[bytes]] = pickle.loads(options.file.read_bytes())
        return _bare(options, polls)
    if options.way == "pulse":
        return _pulse(options)
    if options.way == "record":
        return asyncio.run(_record(options))
    return asyncio.run(_poll(options))


def _size(options: argparse.Namespace) -> Size:
    return Size("", options.queues, options.workers, 0)


def _port(options: argparse.Namespace) -> int:
    port: int | None = urlsplit(options.url).port
    assert port is not None
    return port


def _watch(options: argparse.Namespace) -> Watch:
    from benchmarks.polling.server import Watch  # redis-py looks for hiredis when it is imported

    return Watch(options.url, options.idle)


def _bare(options: argparse.Namespace, polls: list[list[bytes]]) -> dict[str, Any]:
    """The first poll is the cold one, with its connection."""
    watch, took = _watch(options), []
    began = perf_counter()
    connection = BareConnection(_port(options))
    timed(connection, polls[0])
    cold = (perf_counter() - began) * 1_000
    watch.begin()
    for trips in polls[1:]:
        time.sleep(options.pause)
        took.append(timed(connection, trips))
    cost = watch.end(len(took))
    connection.close()
    size = median(sum(len(trip) for trip in trips) for trips in polls[1:])
    return {"cold_ms": cold, "warm_ms": median(took), "sent_kb": size / 1_000, **cost}


async def _poll(options: argparse.Namespace) -> dict[str, Any]:
    watch, took, stalls = _watch(options), [], []
    gc.collect()
    gc.freeze()  # as the monitor does: what is loaded is here to stay
    async with WAYS[options.way](options.url, _size(options)) as poll:
        began = perf_counter()
        await poll()
        cold = (perf_counter() - began) * 1_000
        watch.begin()
        for _ in range(options.polls):
            await asyncio.sleep(options.pause)
            elapsed, stall = await _watched(poll())
            took.append(elapsed)
            stalls.append(stall)
        cost = watch.end(len(took))
    return {"cold_ms": cold, "warm_ms": median(took), "stall_ms": median(stalls), **cost}


async def _watched(poll: Awaitable[object]) -> tuple[float, float]:
    """Milliseconds a poll took, and the longest for which others had no turn meanwhile."""
    gaps = [0.0]

    async def tick() -> None:
        while True:
            began = perf_counter()
            await asyncio.sleep(_TICK_S)
            gaps.append((perf_counter() - began - _TICK_S) * 1_000)

    ticker = asyncio.create_task(tick())
    await asyncio.sleep(0)
    began = perf_counter()
    await poll
    elapsed = (perf_counter() - began) * 1_000
    await asyncio.sleep(2 * _TICK_S)  # the last gap is known once it has ended
    ticker.cancel()
    return elapsed, max(gaps)


async def _record(options: argparse.Namespace) -> dict[str, Any]:
    """Keep the bytes of a cold and some warm polls of ours, trip by trip."""
    from benchmarks.polling.recorder import Recorder

    async with Recorder(_port(options)) as recorder:
        url = f"redis://127.0.0.1:{recorder.port}/0"
        async with WAYS["ours"](url, _size(options)) as poll:
            await poll()
            polls = [recorder.take()]
            for _ in range(options.polls):
                await asyncio.sleep(options.pause)
                await poll()
                polls.append(recorder.take())
    options.file.write_bytes(pickle.dumps(polls))
    return {"cold_trips": len(polls[0]), "warm_trips": median(len(trips) for trips in polls[1:])}


def _pulse(options: argparse.Namespace) -> dict[str, Any]:
    """LPUSH and BRPOP on bare sockets, a pair each millisecond: how long such a pair takes.

    A pair that had to wait for the one before counts from the moment at which it was due: who is
    held up does not get to ask less often.
    """
    push = wire(("LPUSH", "benchmark:pulse", "beat"))
    pop = wire(("BRPOP", "benchmark:pulse", "1"))
    connection, took = BareConnection(_port(options)), []
    due = ended = perf_counter()
    end = due + options.seconds
    while due < end:
        late = ended > due
        time.sleep(max(0.0, due - ended))
        began = due if late else perf_counter()
        connection.trip(push)
        connection.trip(pop)
        ended = perf_counter()
        took.append((ended - began) * 1_000)
        due += _TICK_S
    connection.close()
    took.sort()
    return {
        "pairs": len(took),
        "p50_ms": took[len(took) // 2],
        "p999_ms": took[int(len(took) * 0.999)],
    }


if __name__ == "__main__":
    main()
