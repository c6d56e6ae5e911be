"""Runs the monitor as ``python -m runqy_tui`` does, and reports what it holds on request.

    python -m benchmarks.soak.instrumented_monitor QUESTIONS REPLIES [ARGUMENT...]

Both are inherited file descriptors: for every byte read from the one, a line of JSON is written to
the other. A thread waits for questions, and the monitor's event loop collects the figures between
two of its steps: another thread could see objects that are not complete. On SIGUSR1 it writes the
stacks of all threads to standard error.
"""

from __future__ import annotations

import asyncio
import faulthandler
import gc
import json
import os
import signal
import sys
import threading
import time
import tracemalloc
from collections import Counter
from concurrent.futures import Future

TYPES_REPORTED = 60
TRACE_FRAMES = "SOAK_TRACE"
"""In the environment: how many frames to trace of every allocation, 0 for none."""
LEAK = "SOAK_LEAK"
"""In the environment: leak on purpose, to prove that a leak is found."""


def main() -> None:
    """Start the thread, then become the monitor."""
    questions, replies = int(sys.argv[1]), int(sys.argv[2])
    sys.argv = ["runqy-tui", *sys.argv[3:]]
    faulthandler.register(signal.SIGUSR1, file=os.dup(2))
    if depth := int(os.environ.get(TRACE_FRAMES, "0")):
        tracemalloc.start(depth)
    policy = _Policy()
    asyncio.set_event_loop_policy(policy)
    threading.Thread(target=_answer, args=(policy, questions, replies), daemon=True).start()
    if os.environ.get(LEAK):
        threading.Thread(target=_leak, daemon=True).start()
    from runqy_tui.__main__ import main as monitor

    monitor()


class _Policy(asyncio.DefaultEventLoopPolicy):
    """The usual one; it knows the latest loop."""

    loop: asyncio.AbstractEventLoop

    def new_event_loop(self) -> asyncio.AbstractEventLoop:
        self.loop = super().new_event_loop()
        return self.loop


def _answer(policy: _Policy, questions: int, replies: int) -> None:
    first: tracemalloc.Snapshot | None = None
    while word := os.read(questions, 1):
        found: Future[dict[str, object]] = Future()
        policy.loop.call_soon_threadsafe(_report_to, found)
        reply = found.result()
        if word == b"t" and tracemalloc.is_tracing():
            taken = tracemalloc.take_snapshot()
            if first is None:
                first = taken
            reply["grown"] = [str(line) for line in taken.compare_to(first, "traceback")[:25]]
            reply["where"] = [
                line.traceback.format() for line in taken.compare_to(first, "traceback")[:25]
            ]
        data = json.dumps(reply).encode() + b"\n"
        while data:
            data = data[os.write(replies, data) :]


def _report_to(found: Future[dict[str, object]]) -> None:
    found.set_result(_holds())


def _holds() -> dict[str, object]:
    """What the interpreter holds: tasks that are not done, threads, objects by type."""
    objects = gc.get_objects()
    tasks = len(asyncio.all_tasks())
    types = Counter(f"{type(one).__module__}.{type(one).__qualname__}" for one in objects)
    return {
        "tasks": tasks,
        "objects": len(objects),
        "screens": sum(n for name, n in types.items() if name.endswith(("Modal", "Screen"))),
        "types": dict(types.most_common(TYPES_REPORTED)),
    }


def _leak() -> None:
    """Leak memory, threads and descriptors, five times a second."""
    kept: list[object] = []
    while True:
        kept.append(b"leak" * 512 * 1024)
        kept.append(os.open(os.devnull, os.O_RDONLY))
        threading.Thread(target=threading.Event().wait, daemon=True).start()
        time.sleep(0.2)


if __name__ == "__main__":
    main()
