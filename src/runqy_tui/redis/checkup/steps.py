"""Checks everything that a monitor needs of Redis, one step after the other.

A step that fails becomes a line: the next ones continue as far as they can.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from statistics import median
from time import perf_counter, time

from redis.exceptions import NoPermissionError

from runqy_tui.model.check_line import CheckLine, Verdict
from runqy_tui.model.credentials import Credentials
from runqy_tui.model.errors import ConnectionFailedError, RunqyTuiError
from runqy_tui.redis.checkup.command_probes import try_commands
from runqy_tui.redis.checkup.deployment_facts import Cost, CountingLink, describe
from runqy_tui.redis.checkup.reachability import reach
from runqy_tui.redis.checkup.tls_probe import check_tls
from runqy_tui.redis.connecting.connect import link_to
from runqy_tui.redis.connecting.target import RedisTarget, parse_url
from runqy_tui.redis.reader import RedisReader
from runqy_tui.redis.wire.error_translation import missing_command, translate
from runqy_tui.redis.wire.replies import Reply, clock
from runqy_tui.redis.wire.transport import Batch

_SAMPLES = 7
_SLOW_S = 0.3
"""A round trip longer than this slows every screen."""

_CLOCK_S = 2.0
"""Difference of the clocks, beyond the error of measurement, that leads to a warning."""

_POLL_S = 6.0
_FAULT = 70

Step = Callable[[], Awaitable[list[CheckLine]]]


@dataclass(slots=True)
class _State:
    """The results of the steps so far."""

    reachable: bool = False
    authenticated: bool = False


def examine(
    url: str,
    *,
    access: Credentials | None = None,
    timeout: float = 3.0,
    interval: float = 2.0,
    budget: int,
) -> AsyncIterator[CheckLine]:
    """Check a deployment. Raises ``ConfigError`` if the URL is invalid, and nothing else.

    ``timeout`` bounds each wait, ``interval`` is how often the monitor will poll: both in seconds.
    ``budget`` is how many commands it may send per second.
    """
    return _Checkup(parse_url(url, timeout, access), interval, budget).lines()


class _Checkup:
    def __init__(self, target: RedisTarget, interval: float, budget: int) -> None:
        self._target = target
        self._interval = interval
        self._budget = budget
        self._link = CountingLink(link_to(target))
        self._state = _State()

    async def lines(self) -> AsyncIterator[CheckLine]:
        """Every line as soon as it is known."""
        timeout_s = self._target.timeout
        limit_s = 3 * timeout_s + 1
        steps: list[tuple[str, Step, float, Callable[[], bool]]] = [
            ("connection", self._reach, 4 * timeout_s + 1, lambda: True),
            (
                "authentication",
                self._authenticate,
                limit_s,
                lambda: self._state.reachable,
            ),
            ("commands", self._commands, limit_s, lambda: self._state.authenticated),
            ("round trip", self._measure, limit_s, lambda: self._state.authenticated),
            ("server", self._poll, 2 * _POLL_S, lambda: self._state.authenticated),
        ]
        try:
            for topic, step, limit, possible in steps:
                if possible():
                    for line in await _bounded(topic, step, limit):
                        yield line
                else:
                    yield CheckLine(
                        topic, Verdict.SKIP, "not checked, because of the failure above"
                    )
        finally:
            with suppress(TimeoutError):
                async with asyncio.timeout(timeout_s):
                    await self._link.close()

    async def _reach(self) -> list[CheckLine]:
        reached = await reach(self._target)
        self._state.reachable = reached.open
        lines = list(reached.lines)
        if reached.spot is not None:
            lines.append(await check_tls(self._target, reached.spot))
            self._state.reachable = lines[-1].verdict is not Verdict.FAIL
        return lines

    async def _authenticate(self) -> list[CheckLine]:
        batch = Batch()
        time_slot = batch.ask("TIME")
        reply = (await self._link.trip(batch))[time_slot]
        # A command that is refused or unknown was answered: the user is authenticated.
        if isinstance(reply, Exception) and not _is_answered(reply):
            raise translate(reply, self._target)
        self._state.authenticated = True
        user, password = self._target.username, self._target.password
        if password is None and user is None:
            text = "no password required (for a read-only user: runqy-tui acl)"
        else:
            text = f'authenticated as "{user or "default"}"'
        return [CheckLine("authentication", Verdict.OK, text)]

    async def _commands(self) -> list[CheckLine]:
        return await try_commands(self._link)

    async def _measure(self) -> list[CheckLine]:
        took: list[float] = []
        best: tuple[float, float] | None = None
        for _ in range(_SAMPLES):
            batch = Batch()
            time_slot = batch.ask("TIME", parse=clock)
            began, at = time(), perf_counter()
            replies = await self._link.trip(batch)
            took.append(perf_counter() - at)
            redis_time = time_slot.value(replies)
            if redis_time is not None and took[-1] <= min(took):
                best = redis_time - (began + took[-1] / 2), took[-1] / 2
        return [_round_trip(took), _clock(best)]

    async def _poll(self) -> list[CheckLine]:
        reader = RedisReader(self._link, lambda now: now)
        before = self._cost()
        cold = await reader.overview()
        between = self._cost()
        warm = await reader.overview()
        after = self._cost()
        return describe(
            warm,
            cold=between.since(before, cold.redis.elapsed_ms),
            warm=after.since(between, warm.redis.elapsed_ms),
            interval=self._interval,
            budget=self._budget,
        )

    def _cost(self) -> Cost:
        link = self._link
        return Cost(link.round_trips, link.commands, link.sent, link.received)


async def _bounded(topic: str, step: Step, limit: float) -> list[CheckLine]:
    """The lines of a step; if it fails or takes too long, a line with the reason."""
    try:
        async with asyncio.timeout(limit):
            return await step()
    except RunqyTuiError as error:
        return [_failed(topic, error)]
    except TimeoutError:
        text = f"no answer within {limit:g} s"
        remedy = "Check the network and the load of the server."
        return [CheckLine(topic, Verdict.FAIL, text, remedy, ConnectionFailedError.exit_code)]
    except Exception as error:  # noqa: BLE001 -- the next steps matter more, and its text may hold anything
        text = f"internal error in runqy-tui: {type(error).__name__}"
        return [CheckLine(topic, Verdict.FAIL, text, "Please report it.", _FAULT)]


def _failed(topic: str, error: RunqyTuiError) -> CheckLine:
    """A line with the first sentence of an error as its text, the rest as its remedy."""
    text, _, remedy = str(error).partition(". ")
    remedy = remedy or "Check the server and the network."
    return CheckLine(topic, Verdict.FAIL, text.rstrip("."), remedy, error.exit_code)


def _is_answered(reply: Reply) -> bool:
    return isinstance(reply, NoPermissionError) or missing_command(reply) is not None


def _round_trip(took: list[float]) -> CheckLine:
    middle = median(took)
    text = (
        f"{middle * 1000:.1f} ms (median of {len(took)}, "
        f"{min(took) * 1000:.1f} to {max(took) * 1000:.1f})"
    )
    if middle > _SLOW_S:
        remedy = "Run the monitor nearer to Redis, or poll less often (--interval)."
        return CheckLine("round trip", Verdict.WARN, text, remedy)
    return CheckLine("round trip", Verdict.OK, text)


def _clock(best: tuple[float, float] | None) -> CheckLine:
    if best is None:
        text = "Redis does not allow TIME: the difference is unknown"
        return CheckLine("clock", Verdict.WARN, text, "Allow TIME: runqy-tui acl prints the rule.")
    ahead, error_s = best
    way = "ahead of" if ahead >= 0 else "behind"
    text = f"Redis is {_seconds(abs(ahead))} {way} this machine (± {_seconds(error_s)})"
    if abs(ahead) > _CLOCK_S + error_s:
        remedy = "Set both clocks (NTP). Ages are computed by Redis's clock and remain correct."
        return CheckLine("clock", Verdict.WARN, text, remedy)
    return CheckLine("clock", Verdict.OK, text)


def _seconds(value: float) -> str:
    return f"{value * 1000:.1f} ms" if value < 1 else f"{value:,.1f} s"
