"""What polls cost the server, by its own statistics."""

from __future__ import annotations

import time
from typing import Any

from benchmarks.kit.fleet import ADMIN, admin

_SLOW_US = 100
_KEPT = 128


class Watch:
    """Measures from :meth:`begin` to :meth:`end` what the server did for others than us."""

    def __init__(self, url: str, idle_s: float) -> None:
        self._admin = admin(url)
        self._admin.config_set("slowlog-log-slower-than", _SLOW_US)
        self._admin.config_set("slowlog-max-len", _KEPT)
        self._admin.slowlog_reset()
        used, began = self._cpu_ms(), time.monotonic()
        time.sleep(idle_s)
        self._idle = (self._cpu_ms() - used) / (time.monotonic() - began)
        self._used, self._began, self._commands = 0.0, 0.0, 0

    def begin(self) -> None:
        """From here on."""
        self._commands = self._processed()
        self._used, self._began = self._cpu_ms(), time.monotonic()

    def end(self, polls: int) -> dict[str, float | None]:
        """CPU of a poll without what the server does anyway, the longest command, commands.

        Commands are those of all connections: of the beating workers', too. The longest is of
        the cold poll as well; what took less than a tenth of a millisecond is not recorded.
        """
        cpu, seconds = self._cpu_ms() - self._used, time.monotonic() - self._began
        commands = self._processed() - self._commands
        longest = [
            one["duration"] / 1_000
            for one in self._slowest()
            if one["client_name"] != ADMIN.encode()
        ]
        self._admin.close()
        return {
            "server_cpu_ms": max(0.0, cpu - self._idle * seconds) / polls,
            "longest_ms": max(longest, default=_SLOW_US / 1_000),
            "commands": commands / polls,
        }

    def _slowest(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._admin.slowlog_get(_KEPT)
        return found

    def _cpu_ms(self) -> float:
        cpu = self._info("cpu")
        return (float(cpu["used_cpu_user"]) + float(cpu["used_cpu_sys"])) * 1_000

    def _processed(self) -> int:
        return int(self._info("stats")["total_commands_processed"])

    def _info(self, section: str) -> dict[str, Any]:
        cpu: dict[str, Any] = self._admin.info(section)
        return cpu
