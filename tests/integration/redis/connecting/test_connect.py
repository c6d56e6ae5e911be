"""Connections that fail say in one line what, why and what to do, and never a password."""

from __future__ import annotations

import asyncio
import re
import socket
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

import pytest
import redis

from runqy_tui.demo.embedded_server import EmbeddedServer
from runqy_tui.model import QueueKey, TaskState
from runqy_tui.model.errors import AccessDeniedError, ConnectionFailedError, RunqyTuiError
from runqy_tui.model.reader_protocol import Reader
from runqy_tui.redis.reader import open_reader
from runqy_tui.redis.wire.transport import Batch
from tests.support import dialect_writers

SECRET = "s3cr%40et#"
Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
Listen = Callable[[Handler], Awaitable[int]]


@pytest.fixture
async def listen() -> AsyncIterator[Listen]:
    """Starts servers on free ports that are no Redis."""
    servers: list[asyncio.Server] = []

    async def start(handler: Handler) -> int:
        server = await asyncio.start_server(handler, "127.0.0.1", 0)
        servers.append(server)
        port: int = server.sockets[0].getsockname()[1]
        return port

    yield start
    for server in servers:
        server.close()


@pytest.fixture(scope="module")
def tcp_server() -> Iterator[EmbeddedServer]:
    with EmbeddedServer(tcp=True) as embedded:
        yield embedded


async def failure(url: str, patience: float = 1.0) -> RunqyTuiError:
    reader = await open_reader(url, timeout=patience)
    try:
        with pytest.raises(RunqyTuiError) as caught:
            await reader.overview()
    finally:
        await reader.close()
    text = "".join(traceback.format_exception(caught.value))
    assert "s3cr" not in text
    assert "\n" not in str(caught.value)
    assert caught.value.__context__ is None
    return caught.value


async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()
    writer.close()


async def rude(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()


async def loading(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while await reader.read(4096):
        writer.write(b"-LOADING Redis is loading the dataset in memory\r\n" * 20)
    writer.close()


async def babbling(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(100)
    writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    writer.close()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


async def test_refused() -> None:
    port = free_port()
    error = await failure(f"redis://u:{SECRET.replace('#', '')}@127.0.0.1:{port}/0")
    assert isinstance(error, ConnectionFailedError)
    assert str(error) == (
        f"Redis at 127.0.0.1:{port} refuses the connection: nothing listens there. "
        "Start Redis, or set --url or RUNQY_REDIS_URL."
    )


async def test_unknown_host() -> None:
    error = await failure("redis://no-such-host.invalid/0")
    assert "'no-such-host.invalid'" in str(error)
    assert "cannot be resolved" in str(error)


async def test_no_socket() -> None:
    assert "there is no such socket" in str(await failure("unix:///no/such.sock"))


@pytest.mark.parametrize(("scheme", "hint"), [("redis", "rediss://"), ("rediss", "redis://")])
async def test_silence(listen: Listen, scheme: str, hint: str) -> None:
    port = await listen(silent)
    error = await failure(f"{scheme}://127.0.0.1:{port}", patience=0.2)
    assert "does not answer within 0.2 s" in str(error)
    assert hint in str(error)


@pytest.mark.parametrize(("scheme", "hint"), [("redis", "rediss://"), ("rediss", "redis://")])
async def test_reset_hints_at_tls(listen: Listen, scheme: str, hint: str) -> None:
    port = await listen(rude)
    error = await failure(f"{scheme}://127.0.0.1:{port}")
    assert "closed the connection" in str(error)
    assert hint in str(error)


async def test_loading(listen: Listen) -> None:
    assert "still loading" in str(await failure(f"redis://127.0.0.1:{await listen(loading)}"))


async def test_no_redis(listen: Listen) -> None:
    error = await failure(f"redis://127.0.0.1:{await listen(babbling)}")
    assert isinstance(error, ConnectionFailedError)


async def test_passwords(tcp_server: EmbeddedServer) -> None:
    base = tcp_server.url.removeprefix("redis://")
    with redis.Redis.from_url(tcp_server.url) as client:
        dialect_writers.allow(client, "mon", "on >right ~* +@all")
        error = await failure(f"redis://mon:s3cr%40et@{base}")
        assert isinstance(error, AccessDeniedError)
        assert str(error).startswith(
            f'Redis at {base.removesuffix("/0")} refuses the password for user "mon": '
        )
        assert "has no password set" in str(await failure(f"redis://:s3cret@{base}"))
        client.config_set("requirepass", "right")
        assert "requires a password" in str(await failure(tcp_server.url))
        assert 'for user "default"' in str(await failure(f"redis://:s3cret@{base}"))
    with redis.Redis.from_url(f"redis://:right@{base}") as client:
        client.config_set("requirepass", "")


async def test_a_wrong_password_on_a_unix_socket() -> None:
    with EmbeddedServer() as server, redis.Redis.from_url(server.url) as client:
        client.config_set("requirepass", "right")
        error = await failure(server.url.replace("unix://", "unix://:wrong@"))
        assert isinstance(error, AccessDeniedError)
        assert 'refuses the password for user "default"' in str(error)
        assert "wrong" not in str(error)


async def test_no_permission_names_the_command(tcp_server: EmbeddedServer) -> None:
    base = tcp_server.url.removeprefix("redis://")
    with redis.Redis.from_url(tcp_server.url) as client:
        dialect_writers.allow(client, "few", "on >pw ~asynq:* +time")
        error = await failure(f"redis://few:pw@{base}")
        assert isinstance(error, AccessDeniedError)
        assert "does not let this user run SSCAN (NOPERM)" in str(error)
        assert "`runqy-tui acl`" in str(error)
        dialect_writers.allow(client, "few", "on >pw ~asynq:* +time +sscan")
        client.sadd("asynq:queues", "q")
        async with asyncio.timeout(5):
            reader = await open_reader(f"redis://few:pw@{base}")
            snapshot = await reader.overview()
            with pytest.raises(AccessDeniedError, match="LLEN"):
                await reader.page(QueueKey("q"), TaskState.PENDING)
            await reader.close()
        assert [queue.counts.pending for queue in snapshot.queues] == [None]
        (warning,) = [text for text in snapshot.warnings if "NOPERM" in text]
        assert re.search(r"run ZREVRANGE, .*LLEN, .*MGET", warning)
        client.delete("asynq:queues")


async def test_database_out_of_range(tcp_server: EmbeddedServer) -> None:
    error = await failure(tcp_server.url.removesuffix("0") + "9999")
    assert "has no database of that number" in str(error)


async def test_server_goes_and_comes_back() -> None:
    with EmbeddedServer(tcp=True) as first:
        reader = await open_reader(first.url, timeout=1)
        with redis.Redis.from_url(first.url) as client:
            dialect_writers.pending(client, "q", "t1")
        assert len((await reader.overview()).queues) == 1
        port = int(first.url.rpartition(":")[2].removesuffix("/0"))
    for _ in range(2):
        with pytest.raises(ConnectionFailedError):
            await reader.overview()

    async def stand_in(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        """The same address leads to another Redis, empty: as after a fail-over."""
        upstream = await asyncio.open_unix_connection(second.url[7:].partition("?")[0])
        await asyncio.gather(pump(source, upstream[1]), pump(upstream[0], sink))

    with EmbeddedServer() as second:
        proxy = await asyncio.start_server(stand_in, "127.0.0.1", port)
        snapshot = await reader.overview()
        assert (snapshot.queues, snapshot.redis.round_trips) == ((), 1)
        await reader.close()
        proxy.close()
        await asyncio.sleep(0.05)


async def pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    while data := await source.read(65_536):
        sink.write(data)
    sink.close()


async def test_nothing_is_opened_after_the_close(redis_url: str) -> None:
    reader = await open_reader(redis_url)
    await reader.overview()
    await reader.close()
    with pytest.raises(ConnectionFailedError, match="is closed"):
        await reader.overview()
    with pytest.raises(ConnectionFailedError, match="is closed"):
        await reader.task("any")


async def test_poll_has_a_deadline(listen: Listen) -> None:
    async def drip(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        await source.read(100)
        while not sink.is_closing():
            sink.write(b":1\r\n")
            await asyncio.sleep(0.05)

    port = await listen(drip)
    reader = await open_reader(f"redis://127.0.0.1:{port}", timeout=10)
    reader._overview.deadline = 0.3
    with pytest.raises(ConnectionFailedError, match=r"did not answer a poll within 0\.3 s"):
        await reader.overview()
    await reader.close()
    await asyncio.sleep(0.1)  # for the other side to notice


async def test_cancelled_questions_leave_no_replies_behind(
    writer: redis.Redis, redis_url: str
) -> None:
    for number in range(300):
        dialect_writers.pending(writer, f"q{number}", "t")
    reader = await open_reader(redis_url)
    for delay in (0, 0.001, 0.002, 0.005, 0.01):
        task = asyncio.create_task(reader.overview())
        await asyncio.sleep(delay)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        page = await reader.page(QueueKey("q7"), TaskState.PENDING)
        assert [row.id for row in page.rows] == ["t"]
    assert len((await reader.overview()).queues) == 300
    await reader.close()


async def test_many_questions_at_once(writer: redis.Redis, redis_url: str) -> None:
    dialect_writers.pending(writer, "q", *(f"t{number}" for number in range(50)))
    reader: Reader = await open_reader(redis_url)
    tasks = [reader.task(f"t{number}") for number in range(50)]
    polls = [reader.overview() for _ in range(5)]
    found = await asyncio.gather(*tasks)
    assert [task and task.id for task in found] == [f"t{number}" for number in range(50)]
    snapshots = await asyncio.gather(*polls)
    assert {snapshot.queues[0].counts.pending for snapshot in snapshots} == {50}
    own = [client for client in writer.client_list() if client["name"] == "runqy-tui"]
    assert 1 <= len(own) <= 4
    await reader.close()


async def test_a_refused_command_is_a_reply(redis_url: str) -> None:
    reader = await open_reader(redis_url)
    batch = Batch()
    batch.ask("GETRANGE", "asynq:key", "no", "number")
    batch.ask("TIME")
    refused, clock = await reader.link.trip(batch)
    assert isinstance(refused, redis.ResponseError)
    assert isinstance(clock, list)
    await reader.close()
