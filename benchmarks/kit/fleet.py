"""A fleet of any size on a private server: the runqy dialect, written by scripts inside Redis."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import redis

from benchmarks.kit.sizes import Size
from runqy_tui.demo.embedded_server import EmbeddedServer
from runqy_tui.demo.task_writer import Message

ADMIN = "benchmark"
"""Name of our own connections, to exclude their commands from those that are measured."""

_BATCH = 10_000
_ID = "00000000-0000-4000-8000-000000000000"
_BEAT_S = 5.0
_STEPS = 50
_STATES = {"pending": 0.5, "completed": 0.3, "archived": 0.1, "retry": 0.05, "scheduled": 0.05}

_FILL = """
local base, state = 'asynq:{' .. ARGV[1] .. '}:', ARGV[2]
local first, last = tonumber(ARGV[3]), tonumber(ARGV[4])
local head, tail, score = ARGV[5], ARGV[6], ARGV[7]
local listed = {}
for i = first, last do
  local id = string.format('%08x-0000-4000-8000-%012x', i, i)
  if state == 'pending' then
    redis.call('hset', base .. 't:' .. id, 'msg', head .. id .. tail, 'state', state,
               'pending_since', score .. '000000000')
  else
    redis.call('hset', base .. 't:' .. id, 'msg', head .. id .. tail, 'state', state)
    listed[#listed + 1] = score
  end
  listed[#listed + 1] = id
  if #listed >= 1000 or i == last then
    redis.call(state == 'pending' and 'lpush' or 'zadd', base .. state, unpack(listed))
    listed = {}
  end
end
"""
_BEAT = """
for i = tonumber(ARGV[1]), tonumber(ARGV[2]) do
  local id = string.format('gpu-%d:%d', i, 1000 + i)
  local key = 'asynq:workers:' .. id
  redis.call('hset', key, 'worker_id', id, 'started_at', ARGV[3], 'last_beat', ARGV[4],
             'concurrency', 4, 'status', 'running', 'healthy', 1, 'metrics', ARGV[5],
             'queues', string.format('map[queue%04d.default:1]', i % tonumber(ARGV[6])))
  redis.call('expire', key, 30)
  redis.call('zadd', 'asynq:workers', ARGV[4] + 1800, id)
end
"""


class Fleet:
    """A filled server whose workers beat every five seconds for as long as it is open."""

    def __init__(self, size: Size, server: EmbeddedServer) -> None:
        self.size = size
        self.url = server.url
        self.port = int(server.url.rpartition(":")[2].partition("/")[0])
        self.admin = admin(server.url)
        self._beat = self.admin.register_script(_BEAT)
        self._started = int(time.time()) - 3_600
        self._ended = threading.Event()
        self._heart = threading.Thread(target=self._keep_beating, daemon=True)

    def open(self) -> None:
        """Write everything and begin to beat."""
        now = int(time.time())
        self.admin.sadd("asynq:queues", *self.size.queue_names)
        for number, name in enumerate(self.size.queue_names):
            share = self.size.tasks // self.size.queues
            if self.size.deep:
                share = self.size.tasks if number == 0 else 0
            self._fill(name, share, now)
        self._beat_of(0, self.size.workers)
        self._heart.start()

    def close(self) -> None:
        """Let the heart rest."""
        self._ended.set()
        self._heart.join()
        self.admin.close()

    def _fill(self, queue: str, tasks: int, now: int) -> None:
        states = {"pending": 1.0} if self.size.deep else _STATES
        fill, written = self.admin.register_script(_FILL), 0
        head, _, tail = (
            Message(id=_ID, queue=queue, payload=b'{"prompt": "a lighthouse at dusk"}')
            .encode()
            .partition(_ID.encode())
        )
        for state, share in states.items():
            end = written + int(tasks * share)
            score = now + 3_600 if state != "pending" else now - self.size.waited_s
            for first in range(written, end, _BATCH):
                last = min(first + _BATCH, end) - 1
                fill(args=[queue, state, first, last, head, tail, score])
            written = end
        self.admin.mset({f"asynq:{{{queue}}}:processed": 1_000, f"asynq:{{{queue}}}:failed": 10})

    def _beat_of(self, first: int, end: int) -> None:
        now = int(time.time())
        if first < end:
            stamps = [self._started, now]
            self._beat(args=[first, end - 1, *stamps, _metrics(now), self.size.queues])

    def _keep_beating(self) -> None:
        step = -(-self.size.workers // _STEPS)
        while True:
            for first in range(0, max(1, self.size.workers), max(1, step)):
                if self._ended.wait(_BEAT_S / _STEPS):
                    return
                self._beat_of(first, min(first + step, self.size.workers))


@contextmanager
def fleet(size: Size) -> Iterator[Fleet]:
    """A fleet of this size, ready to be watched."""
    with EmbeddedServer(tcp=True) as server:
        made = Fleet(size, server)
        made.open()
        try:
            yield made
        finally:
            made.close()


def admin(url: str) -> redis.Redis:
    """A connection of the benchmark's own."""
    made: redis.Redis = redis.Redis.from_url(url, client_name=ADMIN)
    return made


def _metrics(now: int) -> str:
    gpus = [
        {
            "index": index,
            "name": "NVIDIA A100-SXM4-80GB",
            "utilization_percent": (now * 7 + index) % 100,
            "memory_used_mb": 40_000 + now % 1_000,
            "memory_total_mb": 81_920,
            "temperature_c": 60 + now % 10,
        }
        for index in range(4)
    ]
    return json.dumps(
        {
            "cpu_percent": float(now % 100),
            "memory_used_bytes": 64 << 30,
            "memory_total_bytes": 256 << 30,
            "gpus": gpus,
            "collected_at": now,
        }
    )
