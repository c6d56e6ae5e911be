"""Redis lets the monitor in no longer, or not yet: what is said, and that it comes back."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import redis

from tests.app import scenes
from tests.faults.poll_watcher import watching, well_said
from tests.support import dialect_writers
from tests.support.servers import RealServer

SECRET = "s3cr-3t"


@pytest.fixture
def admin(shared: RealServer, backend: redis.Redis) -> Iterator[redis.Redis]:
    """A client that keeps its rights whatever happens to those of the default user."""
    dialect_writers.allow(backend, "admin", "on >admin ~* +@all")
    scenes.small_fleet(backend)
    with shared.client(username="admin", password="admin") as client:
        yield client
        client.config_set("requirepass", "")


def throw_out(admin: redis.Redis) -> None:
    """Close everybody else's connections: a new one has to log in again."""
    admin.client_kill_filter(_type="normal", skipme=True)


async def test_a_password_is_set_while_it_runs(shared: RealServer, admin: redis.Redis) -> None:
    async with watching(shared.url) as seen:
        await seen.live()
        admin.config_set("requirepass", SECRET)
        throw_out(admin)
        well_said(await seen.lost("requires a password: none is set"), shared)
        assert len(seen.snapshot.workers) == 3
        admin.config_set("requirepass", "")
        await seen.live()


async def test_a_password_is_asked_for_from_the_start(
    shared: RealServer, admin: redis.Redis
) -> None:
    admin.config_set("requirepass", SECRET)
    async with watching(shared.url) as seen:
        well_said(await seen.lost("requires a password: none is set"), shared)
    async with watching(shared.url.replace("//", f"//:{SECRET}@")) as seen:
        await seen.live()


async def test_the_password_is_changed_while_it_runs(
    shared: RealServer, admin: redis.Redis
) -> None:
    dialect_writers.allow(admin, "mon", f"on >{SECRET} ~* +@all")
    async with watching(shared.url.replace("//", f"//mon:{SECRET}@")) as seen:
        await seen.live()
        dialect_writers.allow(admin, "mon", "on >another ~* +@all")
        throw_out(admin)
        sentence = await seen.lost('refuses the password for user "mon"')
        well_said(sentence, shared)
        assert SECRET not in sentence
        assert len(seen.snapshot.workers) == 3
        dialect_writers.allow(admin, "mon", f"on >{SECRET} ~* +@all")
        await seen.live()


async def test_a_password_where_there_is_none(shared: RealServer, admin: redis.Redis) -> None:
    async with watching(shared.url.replace("//", f"//:{SECRET}@")) as seen:
        sentence = await seen.lost("has no password set: one was sent")
        well_said(sentence, shared)
        admin.config_set("requirepass", SECRET)
        await seen.live()


async def test_a_right_is_taken_away_and_given_back(shared: RealServer, admin: redis.Redis) -> None:
    dialect_writers.allow(admin, "mon", f"on >{SECRET} ~* +@all")
    async with watching(shared.url.replace("//", f"//mon:{SECRET}@")) as seen:
        await seen.live()
        admin.acl_setuser("mon", categories=["-@all"])
        sentence = await seen.lost("does not let this user run SSCAN (NOPERM)")
        well_said(sentence, shared)
        admin.acl_setuser("mon", categories=["+@all"])
        await seen.live()
        assert not seen.snapshot.warnings or "NOPERM" not in seen.snapshot.warnings[0]
