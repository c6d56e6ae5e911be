"""Whether a deployment can be reached at all: names and connections, below the level of Redis.

Nothing is sent here: a connection is opened and closed again.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from threading import Thread
from time import perf_counter
from typing import NamedTuple

from runqy_tui.model.check_line import CheckLine, Verdict
from runqy_tui.model.errors import ConnectionFailedError
from runqy_tui.redis.connecting.target import RedisTarget

CODE = ConnectionFailedError.exit_code
MOST_SEEDS = 8
_MOST_ADDRESSES = 4

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass(frozen=True, slots=True)
class Spot:
    """One address of one host; ``name`` is the host as it was asked for."""

    name: str
    ip: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.ip}]" if ":" in self.ip else self.ip
        return f"{host}:{self.port}"


class Reached(NamedTuple):
    """Lines to show, and where a connection was made (nowhere where there is none)."""

    lines: tuple[CheckLine, ...]
    spot: Spot | None = None
    open: bool = False


async def reach(target: RedisTarget) -> Reached:
    """Names and connections of every server that was named; each wait is ``target.timeout``."""
    if target.scheme == "unix":
        return await _reach_socket(target)
    seeds = target.seeds[:MOST_SEEDS] or ((target.host, target.port),)
    found = await asyncio.gather(*(_resolve(host, port, target.timeout) for host, port in seeds))
    names = _names([host for host, _ in seeds], found)
    spots = [spot for result in found if not isinstance(result, str) for spot in result]
    if not spots:
        return Reached((names,))
    tried = await asyncio.gather(*(_connect(spot, target.timeout) for spot in spots))
    line, first = _connections(spots, tried)
    return Reached((names, line), first, first is not None)


async def _reach_socket(target: RedisTarget) -> Reached:
    result = await _timed(asyncio.open_unix_connection(target.path), target.timeout)
    if isinstance(result, float):
        text = f"{target.address} in {result * 1000:.1f} ms"
        return Reached((CheckLine("connection", Verdict.OK, text),), open=True)
    remedy = "Start Redis, check the socket's permissions, or set --url or RUNQY_REDIS_URL."
    line = CheckLine("connection", Verdict.FAIL, f"{target.address}: {result}", remedy, CODE)
    return Reached((line,))


async def _resolve(host: str, port: int, timeout_s: float) -> list[Spot] | str:
    """Addresses of a host, or in a few words why there are none."""
    with suppress(ValueError):
        return [Spot(host, str(ipaddress.ip_address(host)), port)]
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[list[str] | str] = loop.create_future()

    def settle(found: list[str] | str) -> None:
        if not answer.done():
            answer.set_result(found)

    def ask() -> None:
        try:
            result = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            found: list[str] | str = list(dict.fromkeys(str(entry[4][0]) for entry in result))
        except socket.gaierror as error:
            found = error.strerror or "cannot be resolved"
        except (OSError, UnicodeError):
            found = "is no name that DNS knows"
        with suppress(RuntimeError):  # the loop ended before the answer came
            loop.call_soon_threadsafe(settle, found)

    # A thread of its own: one of asyncio's pool would keep the program from ending.
    Thread(target=ask, daemon=True).start()
    try:
        async with asyncio.timeout(timeout_s):
            found = await answer
    except TimeoutError:
        return f"no answer within {timeout_s:g} s"
    return (
        found
        if isinstance(found, str)
        else [Spot(host, ip, port) for ip in found][:_MOST_ADDRESSES]
    )


def _names(hosts: Sequence[str], found: Sequence[list[Spot] | str]) -> CheckLine:
    unknown = [
        f"{host!r} ({result})"
        for host, result in zip(hosts, found, strict=True)
        if isinstance(result, str)
    ]
    known = [
        f"{host} is {', '.join(spot.ip for spot in result)}"
        for host, result in zip(hosts, found, strict=True)
        if not isinstance(result, str) and [spot.ip for spot in result] != [host]
    ]
    if not unknown:
        return CheckLine("name", Verdict.OK, "; ".join(known) or "an address, no DNS needed")
    remedy = "Check the spelling in the URL, and the resolver (/etc/resolv.conf, /etc/hosts)."
    text = f"cannot be resolved: {', '.join(unknown)}"
    if len(unknown) < len(hosts):
        return CheckLine("name", Verdict.WARN, text, remedy)
    return CheckLine("name", Verdict.FAIL, text, remedy, CODE)


async def _connect(spot: Spot, timeout_s: float) -> float | str:
    return await _timed(asyncio.open_connection(spot.ip, spot.port), timeout_s)


@asynccontextmanager
async def short_connection(opening: Awaitable[Streams]) -> AsyncIterator[Streams]:
    """Await a connection of asyncio's streams; its socket is closed at the end of the block.

    ``StreamWriter.close`` alone only starts that: with TLS it waits for the server's close_notify,
    up to 30 s, and an event loop that ends earlier leaves the socket open. So the connection is
    aborted, as those of the link are. Raises OSError or TimeoutError as ``opening`` does.
    """
    reader, writer = await opening
    try:
        yield reader, writer
    finally:
        writer.transport.abort()
        with suppress(OSError):  # the server had closed or reset it
            await writer.wait_closed()


async def _timed(opening: Awaitable[Streams], timeout_s: float) -> float | str:
    """Seconds that it took to connect, or in a few words why it did not."""
    started = perf_counter()
    try:
        async with asyncio.timeout(timeout_s):
            async with short_connection(opening):
                return perf_counter() - started
    except TimeoutError:
        return f"no answer within {timeout_s:g} s"
    except ConnectionRefusedError:
        return "refused"
    except OSError as error:
        return error.strerror or type(error).__name__


def _connections(
    spots: Sequence[Spot], tried: Sequence[float | str]
) -> tuple[CheckLine, Spot | None]:
    pairs = list(zip(spots, tried, strict=True))
    good = [(spot, result) for spot, result in pairs if isinstance(result, float)]
    bad = [f"{spot} ({result})" for spot, result in pairs if isinstance(result, str)]
    missing = {(spot.name, spot.port) for spot in spots} - {
        (spot.name, spot.port) for spot, _ in good
    }
    text = ", ".join(f"{spot} in {result * 1000:.1f} ms" for spot, result in good)
    refused = f"no connection to {', '.join(bad)}"
    if not good:
        remedy = "Start Redis there, open the firewall, or set --url or RUNQY_REDIS_URL."
        return CheckLine("connection", Verdict.FAIL, refused, remedy, CODE), None
    if missing:
        remedy = "Start the servers that are down, or take them out of the URL."
        return CheckLine("connection", Verdict.WARN, f"{text}; {refused}", remedy), good[0][0]
    return CheckLine("connection", Verdict.OK, text), good[0][0]
