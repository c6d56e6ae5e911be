"""INFO of servers that a test cannot bring about."""

from __future__ import annotations

from typing import Any

import pytest

from runqy_tui.model import ServerHealth
from runqy_tui.redis.polling.redis_server import AOF_FAILED, OUT_OF_MEMORY, SAVE_FAILED, health_of
from runqy_tui.redis.wire.replies import info_fields

FULL = {"used_memory": "900", "maxmemory": "800", "maxmemory_policy": "noeviction"}


@pytest.mark.parametrize(
    ("info", "reason"),
    [
        ({}, None),
        ({"rdb_last_bgsave_status": "ok"}, None),
        ({"rdb_last_bgsave_status": "err"}, SAVE_FAILED),
        ({"rdb_last_bgsave_status": "err", "role": "master"}, SAVE_FAILED),
        ({"rdb_last_bgsave_status": "err", "role": "slave"}, None),
        ({"rdb_last_bgsave_status": "err"} | FULL, SAVE_FAILED),
        ({"aof_enabled": "1", "aof_last_write_status": "err"}, AOF_FAILED),
        ({"aof_enabled": "0", "aof_last_write_status": "err"}, None),
        (FULL, OUT_OF_MEMORY),
        (FULL | {"role": "slave"}, None),
        (FULL | {"maxmemory_policy": "allkeys-lru"}, None),
        (FULL | {"used_memory": "800"}, OUT_OF_MEMORY),
        (FULL | {"used_memory": "799"}, None),
        (FULL | {"mem_not_counted_for_evict": "100"}, OUT_OF_MEMORY),
        (FULL | {"mem_not_counted_for_evict": "101"}, None),
        (FULL | {"maxmemory": "0"}, None),
        (FULL | {"maxmemory": "x"}, None),
    ],
)
def test_why_writes_are_refused(info: dict[str, str], reason: str | None) -> None:
    assert health_of(info).writes_blocked == reason


def test_what_a_managed_server_leaves_out_is_unknown() -> None:
    assert health_of({"used_memory": "5"}) == ServerHealth(used_memory_bytes=5)


@pytest.mark.parametrize(
    ("reply", "fields"),
    [
        (b"# Memory\r\nused_memory:5\r\n\r\nslave0:ip=::1,port=1\r\n", {"used_memory": "5"}),
        (b"", {}),
        (None, None),
    ],
)
def test_fields_of_info(reply: Any, fields: dict[str, str] | None) -> None:
    found = info_fields(reply)
    if found is not None:
        found.pop("slave0", None)
    assert found == fields
    if reply:
        assert (info_fields(reply) or {})["slave0"] == "ip=::1,port=1"
