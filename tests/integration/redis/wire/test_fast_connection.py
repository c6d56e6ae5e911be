"""Replies read straight from hiredis are those that redis-py gives, errors included."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

import pytest

from runqy_tui.model.credentials import Credentials
from runqy_tui.model.errors import ConnectionFailedError, RunqyTuiError
from runqy_tui.redis.connecting.connect import node_link
from runqy_tui.redis.connecting.target import parse_url
from runqy_tui.redis.wire.replies import Reply
from runqy_tui.redis.wire.transport import Batch, NodeLink
from tests.support.certificates import Certificates
from tests.support.dialect_writers import allow
from tests.support.servers import RealServer, debian

Link = Callable[[bool], NodeLink]
PLACES = ("valkey", "debian", "tls")


@pytest.fixture(scope="module", params=PLACES)
def place(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Link]:
    """Makes links to a server that holds a little of everything, lean or plain."""
    server = RealServer(None if request.param == "valkey" else debian())
    scheme, access = "redis", Credentials()
    with server:
        _fill(server)
        if request.param == "tls":
            made = Certificates(tmp_path_factory.mktemp("certificates"))
            server.client().save()
            server.kill()
            made.encrypt(server, made.local, clients=False)
            server.start()
            scheme, access = "rediss", Credentials(tls_ca=made.ca)
        url = f"{scheme}://127.0.0.1:{server.port}"

        def make(lean: bool) -> NodeLink:
            link = node_link(parse_url(url, 5.0, access))
            link.use_fast = lean
            return link

        yield make


def _fill(server: RealServer) -> None:
    client = server.client()
    client.sadd("asynq:queues", *(f"q{number}" for number in range(500)))
    client.zadd("asynq:workers", {f"w{number}": number / 3 for number in range(300)})
    client.rpush("list", *(f"id-{number}" for number in range(2_000)))
    client.hset("hash", mapping={"a": "1", "b": "", "c": "x" * 70_000, "d": b"\x00\xff\r\n$5\r\n"})
    client.set("string", b"\r\n-ERR no error\r\n:5\r\n")
    client.set("large", "y" * 700_000)
    client.close()


def some_commands(pick: random.Random, count: int) -> Batch:
    """Sound ones, ones of the wrong type or number of arguments, empty replies and large ones."""
    batch = Batch()
    keys = ("list", "hash", "string", "large", "asynq:queues", "asynq:workers", "none")
    for _ in range(count):
        key = pick.choice(keys)
        batch.ask(
            *pick.choice(
                (
                    ("LLEN", key),
                    ("LRANGE", key, 0, pick.randrange(2_000)),
                    ("HMGET", key, "a", "b", "none", "d"),
                    ("HGET", key, "c"),
                    ("GETRANGE", key, 0, pick.choice((10, 80_000, 700_000))),
                    ("SSCAN", key, 0, "COUNT", 1_000),
                    ("ZRANGE", key, 0, -1, "WITHSCORES"),
                    ("ZRANGE", key, 5, "+inf", "BYSCORE", "LIMIT", 0, 9, "WITHSCORES"),
                    ("ZCARD", key),
                    ("MGET", key, "none"),
                    ("PTTL", key),
                    ("TYPE", key),
                    ("HGET", key),
                    ("EVAL_RO", "return {1,{2,{}},false,redis.error_reply('MINE own')}", 1, key),
                    ("EVAL_RO", "return redis.error_reply('OTHER own')", 1, key),
                )
            )
        )
    return batch


def plain(reply: Reply) -> object:
    """A reply as what can be compared: an error by its kind and words."""
    if isinstance(reply, list):
        return [plain(part) for part in reply]
    return (type(reply), str(reply)) if isinstance(reply, Exception) else reply


@pytest.mark.parametrize("seed", range(3))
async def test_the_same_replies(place: Link, seed: int) -> None:
    batch = some_commands(random.Random(seed), 400)
    straight, detour = place(True), place(False)
    for _ in range(2):  # the second time over a connection that is there already
        ours, theirs = await straight.trip(batch), await detour.trip(batch)
        assert len(ours) == batch.count
        assert [plain(reply) for reply in ours] == [plain(reply) for reply in theirs]
    assert any(isinstance(reply, Exception) for reply in ours)
    await straight.close()
    await detour.close()


async def test_both_ways_take_turns_on_one_connection(place: Link) -> None:
    link, batch = place(True), some_commands(random.Random(9), 50)
    outcomes = []
    for lean in (True, False, True, False):
        link.use_fast = lean
        outcomes.append([plain(reply) for reply in await link.trip(batch)])
    assert outcomes[0] == outcomes[1] == outcomes[2] == outcomes[3]
    await link.close()


async def test_the_same_failure_where_the_server_goes() -> None:
    messages = []
    for lean in (True, False):
        with RealServer() as server:
            link = node_link(parse_url(server.url, 5.0, Credentials()))
            link.use_fast = lean
            batch = Batch()
            batch.ask("TIME")
            await link.trip(batch)
            server.kill()
            with pytest.raises(ConnectionFailedError) as failure:
                await link.trip(batch)
            messages.append(str(failure.value).replace(str(server.port), "PORT"))
            await link.close()
    assert messages[0] == messages[1]


async def test_the_same_failure_where_an_answer_concerns_everything() -> None:
    messages = []
    with RealServer() as server:
        allow(server.client(), "default", "on >secret")
        for lean in (True, False):
            link = node_link(parse_url(server.url, 5.0, Credentials()))
            link.use_fast = lean
            batch = Batch()
            batch.ask("TIME")
            with pytest.raises(RunqyTuiError) as failure:
                await link.trip(batch)
            messages.append(str(failure.value))
            await link.close()
    assert messages[0] == messages[1]
