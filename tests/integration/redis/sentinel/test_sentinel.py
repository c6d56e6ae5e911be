"""A primary behind Sentinels: found, and what is said where it cannot be."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from runqy_tui.model.credentials import Credentials
from runqy_tui.model.errors import AccessDeniedError, ConnectionFailedError
from runqy_tui.redis.reader import open_reader
from runqy_tui.redis.sentinel import sentinel_link as sentinel
from tests.integration.redis.connecting.connect_once import SECRET, refusal, seen, until
from tests.support import dialect_writers
from tests.support.certificates import Certificates
from tests.support.deployment import SERVICE, Deployment
from tests.support.servers import RealServer, debian, free_port

FOR_SENTINEL = "watching"
ENTER: dict[str, Any] = {"sentinel_password": FOR_SENTINEL}


@pytest.fixture(scope="module")
def deployment() -> Iterator[Deployment]:
    """Valkey; the Sentinel has a password of its own, the servers have a user."""
    with Deployment(options={"requirepass": FOR_SENTINEL}) as made:
        for server in made.servers:
            with server.client() as client:
                dialect_writers.allow(client, "monitor", f"on >{SECRET} ~* &* +@all")
        with made.primary().client() as client:
            dialect_writers.pending(client, "q", "t1", "t2")
        yield made


@pytest.fixture(scope="module")
def odd(deployment: Deployment) -> Iterator[RealServer]:
    """A Sentinel that believes a replica to be primary, and one that goes by names."""
    primary, replica = deployment.servers[0].port, deployment.servers[1].port
    options = {
        "requirepass": FOR_SENTINEL,
        "sentinel resolve-hostnames": "yes",
        "sentinel announce-hostnames": "yes",
        "sentinel monitor": f"{SERVICE} 127.0.0.1 {replica} 1\n"
        f"sentinel monitor named localhost {primary} 1\n"
        f"sentinel down-after-milliseconds {SERVICE} 60000\n"
        f"sentinel down-after-milliseconds named 60000",
    }
    with RealServer(options=options, sentinel=True) as server:
        yield server


def behind(login: str, *sentinels: RealServer | int, service: str = SERVICE) -> str:
    ports = [one if isinstance(one, int) else one.port for one in sentinels]
    hosts = ",".join(f"127.0.0.1:{port}" for port in ports)
    return f"redis+sentinel://{login}{hosts}/{service}"


async def test_the_primary_is_found(deployment: Deployment) -> None:
    primary = deployment.primary()
    reader = await open_reader(
        behind(f"monitor:{SECRET}@", *deployment.sentinels),
        access=Credentials(**ENTER),
    )
    for _ in range(3):
        snapshot = await reader.overview()
        assert len(asyncio.all_tasks()) == 1  # nothing of a poll goes on behind it
    assert [queue.counts.pending for queue in snapshot.queues] == [2]
    assert snapshot.redis.where.primary == f"127.0.0.1:{primary.port}"
    assert snapshot.redis.where.switched_from is None
    assert (snapshot.warnings, snapshot.redis.round_trips) == ((), 1)
    assert snapshot.redis.address == f"{SERVICE}@127.0.0.1:{deployment.sentinels[0].port}"
    for server, secret in ((primary, None), (deployment.sentinels[0], FOR_SENTINEL)):
        with server.client(password=secret, decode_responses=True) as client:
            (own,) = [one for one in client.client_list() if one["name"] == "runqy-tui"]
            assert own["user"] == ("default" if secret else "monitor")
            assert own["resp"] == "2"
    await reader.close()
    await gone(primary)


async def gone(server: RealServer) -> None:
    """No connection of ours is left, with or without a name."""
    with server.client(decode_responses=True) as client:
        for _ in range(100):
            names = [one["name"] for one in client.client_list()]
            if "runqy-tui" not in names:
                return
            await asyncio.sleep(0.02)
    raise AssertionError(f"still connected: {names}")


async def test_a_sentinel_wants_its_own_password(deployment: Deployment) -> None:
    url = behind(f":{SECRET}@", *deployment.sentinels)
    port = deployment.sentinels[0].port
    text = await refusal(url, AccessDeniedError)
    assert text.startswith(f"Sentinel at 127.0.0.1:{port} requires a password")
    assert "Set sentinel_password" in text
    text = await refusal(url, AccessDeniedError, sentinel_password="other")
    assert 'refuses the password for user "default"' in text
    assert "other" not in text
    assert "Set sentinel_username and sentinel_password" in text


async def test_a_server_behind_refuses_the_password(deployment: Deployment) -> None:
    url = behind("monitor:no@", *deployment.sentinels)
    text = await refusal(url, AccessDeniedError, **ENTER)
    assert text.startswith(f"Redis at 127.0.0.1:{deployment.primary().port} refuses the password")


async def test_an_unknown_service(odd: RealServer) -> None:
    text = await refusal(behind("", odd, service="other"), ConnectionFailedError, **ENTER)
    assert f'Sentinel at 127.0.0.1:{odd.port} knows no service "other".' in text


async def test_no_sentinel_at_all(deployment: Deployment) -> None:
    ports = free_port(), free_port()
    text = await refusal(behind("", *ports), ConnectionFailedError)
    names = ", ".join(sorted(f"127.0.0.1:{port}" for port in ports))
    assert text.startswith(f"No Sentinel answers, of {names}. Sentinel at 127.0.0.1:")
    assert "refuses the connection" in text
    text = await refusal(behind("", deployment.servers[0]), ConnectionFailedError)
    assert "is a Redis server and no Sentinel" in text


async def test_a_sentinel_that_lets_nobody_ask(odd: RealServer) -> None:
    with odd.client(password=FOR_SENTINEL) as client:
        dialect_writers.allow(client, "few", "on >pw +ping")
    text = await refusal(
        behind("", odd), AccessDeniedError, sentinel_username="few", sentinel_password="pw"
    )
    needed = "+sentinel|get-master-addr-by-name"
    assert needed in text
    with odd.client(password=FOR_SENTINEL) as client:
        dialect_writers.allow(client, "few", f"on >pw {needed}")
    await seen(behind("", odd, service="named"), sentinel_username="few", sentinel_password="pw")


async def test_sentinels_that_do_not_answer_are_passed_over(
    deployment: Deployment, odd: RealServer
) -> None:
    odd.freeze()
    try:
        snapshot = await seen(behind("", free_port(), odd, *deployment.sentinels), **ENTER)
    finally:
        odd.thaw()
    assert snapshot.warnings == ()
    assert snapshot.redis.where.primary == f"127.0.0.1:{deployment.primary().port}"


async def test_names_that_sentinel_announces_are_used(odd: RealServer) -> None:
    snapshot = await seen(behind("", odd, service="named"), **ENTER)
    assert (snapshot.redis.where.primary or "").startswith("localhost:")


async def test_a_stale_sentinel_is_not_believed(deployment: Deployment, odd: RealServer) -> None:
    replica = next(s for s in deployment.servers if s is not deployment.primary())
    alone = await seen(behind("", odd), **ENTER)
    (warning,) = alone.warnings
    assert f"names 127.0.0.1:{replica.port} as the primary, but that is a replica" in warning
    both = await seen(behind("", odd, *deployment.sentinels), **ENTER)
    assert both.redis.where.primary == f"127.0.0.1:{deployment.primary().port}"
    assert both.warnings == ()


async def test_sentinels_that_go_away_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sentinel, "CHECK_INTERVAL_S", 0.05)
    with RealServer() as server:
        options = {"sentinel monitor": f"{SERVICE} 127.0.0.1 {server.port} 1"}
        with RealServer(options=options, sentinel=True) as watching:
            reader = await open_reader(behind("", watching))
            assert (await reader.overview()).warnings == ()
            watching.kill()
            snapshot, errors, _ = await until(reader, lambda one: bool(one.warnings))
            assert (errors, snapshot.redis.where.primary) == ([], f"127.0.0.1:{server.port}")
            assert "No Sentinel answers" in snapshot.warnings[0]
            watching.start()
            await until(reader, lambda one: not one.warnings)
            await reader.close()


async def test_a_primary_that_turns_replica_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sentinel, "CHECK_INTERVAL_S", 0.05)
    with RealServer() as server, server.client() as client:
        options = {
            "sentinel monitor": f"{SERVICE} 127.0.0.1 {server.port} 1",
            "sentinel down-after-milliseconds": f"{SERVICE} 60000",
        }
        with RealServer(options=options, sentinel=True) as watching:
            reader = await open_reader(behind("", watching))
            assert (await reader.overview()).warnings == ()
            client.execute_command("REPLICAOF", "127.0.0.1", free_port())
            answer, errors, _ = await until(reader, lambda one: bool(one.warnings))
            assert errors == []
            assert "as the primary, but that is a replica" in answer.warnings[0]
            client.config_set("replica-serve-stale-data", "no")
            with pytest.raises(ConnectionFailedError, match="is a replica that lost its primary"):
                await reader.overview()
            client.execute_command("REPLICAOF", "NO", "ONE")
            back, _, _ = await until(reader, lambda one: not one.warnings)
            assert back.redis.where.switched_from is None
            await reader.close()


async def test_a_connection_made_anew_asks_the_sentinels(
    deployment: Deployment, odd: RealServer
) -> None:
    def asked() -> int:
        with odd.client(password=FOR_SENTINEL, decode_responses=True) as client:
            (own,) = [one for one in client.client_list() if one["name"] == "runqy-tui"]
        return int(own["tot-cmds"])

    reader = await open_reader(behind("", odd, service="named"), access=Credentials(**ENTER))
    await reader.overview()
    with deployment.primary().client() as client:
        before = asked()
        client.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
        await asyncio.sleep(0.05)
        await reader.overview()
        assert asked() == before + 1
    await reader.close()


async def test_tls_to_sentinel_and_server(tmp_path: Path) -> None:
    made = Certificates(tmp_path)
    server = RealServer(debian(), {"requirepass": SECRET})
    made.encrypt(server, made.local, clients=False)
    options = {
        "sentinel monitor": f"{SERVICE} 127.0.0.1 {server.port} 1\n"
        f"sentinel auth-pass {SERVICE} {SECRET}"
    }
    watching = RealServer(debian("redis-sentinel"), options, sentinel=True)
    made.encrypt(watching, made.local, clients=False)
    with server, watching:
        url = behind(f":{SECRET}@", watching).replace("redis", "rediss", 1)
        snapshot = await seen(url, tls_ca=made.ca)
        assert snapshot.redis.where.primary == f"127.0.0.1:{server.port}"
        text = await refusal(behind("", watching), ConnectionFailedError, 0.4)
        assert f"Sentinel at 127.0.0.1:{watching.port}" in text
        assert "use rediss+sentinel://" in text
        text = await refusal(url, ConnectionFailedError, tls_ca=made.other_ca)
        assert "Sentinel at" in text
        assert "certificate that fails verification" in text
