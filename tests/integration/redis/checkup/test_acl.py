"""``runqy-tui acl``: exactly what the program sends, on real servers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest
from redis import Redis, ResponseError
from redis.exceptions import NoPermissionError

from runqy_tui.redis.checkup import acl
from runqy_tui.redis.checkup.command_probes import SAMPLES
from runqy_tui.redis.wire.command_encoding import ALLOWED
from tests.integration.conftest import Result
from tests.support.servers import RealServer, debian, embedded

BEYOND = {"SELECT"}
"""What the rule grants that the program does not send itself: redis-py does, for a database."""

ALWAYS = {"auth", "hello", "quit", "reset"}
"""What Redis lets every user run."""


def granted(rule: str) -> set[str]:
    return {
        word[1:].upper().replace("|", " ") for word in rule.split() if word.startswith(("+", "-"))
    }


def test_the_rule_is_the_list_and_no_more() -> None:
    rules = [acl.rule(place) for place in acl.AclScope]
    assert set().union(*map(granted, rules)) == ALLOWED | BEYOND
    assert granted(acl.rule(acl.AclScope.SERVER)) <= ALLOWED | BEYOND
    assert granted(acl.rule(acl.AclScope.CLUSTER)) <= ALLOWED
    assert granted(acl.rule(acl.AclScope.SENTINEL)) == {"SENTINEL GET-MASTER-ADDR-BY-NAME"}
    for rule in rules:
        assert not set(rule) & {"@", "-*"}, "no category"
        assert not {"~*", "allkeys", "allcommands", "nopass"} & set(rule.split())


def test_every_command_has_a_sample() -> None:
    missing = ALLOWED - set(SAMPLES)
    assert missing == {"ASKING", "CLIENT SETNAME", "SENTINEL GET-MASTER-ADDR-BY-NAME"}
    assert set(SAMPLES) <= ALLOWED


@pytest.fixture(scope="module", params=["valkey", "redis"])
def admin(request: pytest.FixtureRequest) -> Iterator[Redis]:
    binary = embedded() if request.param == "valkey" else debian()
    with RealServer(binary) as server, server.client() as client:
        client.set("other", "x")
        client.set("asynq:one", "1")
        yield client


def dry_run(admin: Any, *command: Any) -> bool:
    """Whether the server would let the user run it."""
    answer = admin.execute_command("ACL", "DRYRUN", acl.USER, *command)
    return answer in (b"OK", True, "OK")


@pytest.mark.parametrize("place", [acl.AclScope.SERVER, acl.AclScope.CLUSTER])
@pytest.mark.parametrize("legacy", [False, True])
def test_a_server_takes_it_and_allows_what_is_needed(
    admin: Any, place: acl.AclScope, legacy: bool
) -> None:
    admin.execute_command(acl.set_user(place, legacy=legacy))
    for name in acl.commands_at(place, legacy=legacy) & set(SAMPLES):
        assert dry_run(admin, *name.split(), *SAMPLES[name]), name
    assert dry_run(admin, "CLIENT", "SETNAME", "x")
    assert dry_run(admin, "SELECT", "1") is (place is acl.AclScope.SERVER)


def test_it_allows_nothing_else_of_all_that_the_server_knows(admin: Any) -> None:
    admin.execute_command(acl.set_user())
    needed = {name.lower().replace(" ", "|") for name in acl.commands_at(acl.AclScope.SERVER)}
    asked = 0
    for name, info in all_commands(admin).items():
        if name in needed | ALWAYS:
            continue
        arity = abs(info["arity"])
        words = name.split("|")
        arguments = [*words, *["asynq:one"] * (arity - len(words) + 2 * (info["arity"] < 0))]
        with suppress(ResponseError):  # these words are no right form of that command
            assert not dry_run(admin, *arguments), name
            asked += 1
    assert asked > 250


def all_commands(admin: Redis) -> dict[str, Any]:
    """Commands without subcommands, and the subcommands of those that have some."""
    found: dict[str, Any] = {}
    for name, info in admin.command().items():
        below = {
            (part[0].decode() if isinstance(part[0], bytes) else part[0]): part
            for part in info["subcommands"]
        }
        if below:
            found |= {inner: {"arity": part[1]} for inner, part in below.items()}
        else:
            found[name] = info
    return found


def test_it_reads_its_keys_and_no_others(admin: Any) -> None:
    admin.execute_command(acl.set_user())
    port = admin.connection_pool.connection_kwargs["port"]
    with Redis(port=port, username=acl.USER, password=acl.PLACEHOLDER, driver_info=None) as client:
        user: Any = client
        assert user.mget("asynq:one") == [b"1"]
        assert user.dbsize() == 2
        assert user.scan(match="asynq:*")[1] == [b"asynq:one"]
        script = "return redis.call('mget', KEYS[1])"
        calls: tuple[Callable[[], Any], ...] = (
            lambda: user.mget("other"),
            lambda: user.set("asynq:one", "2"),
            lambda: user.get("asynq:one"),
            lambda: user.config_get("*"),
            lambda: user.eval_ro(script, 1, "other"),
        )
        for refused in calls:
            with pytest.raises(NoPermissionError):
                refused()
    assert admin.get("asynq:one") == b"1"


@pytest.mark.parametrize("how", ["redis.conf", "aclfile"])
def test_it_is_a_line_of_a_file(how: str) -> None:
    line = acl.file_line()
    with RealServer(embedded()) as server:
        server.kill()
        if how == "aclfile":
            file = server.directory / "users.acl"
            file.write_text(f"{line}\n")
            server.options["aclfile"] = str(file)
        else:
            server.options["user"] = line.removeprefix("user ")
        server.start()
        with server.client(username=acl.USER, password=acl.PLACEHOLDER, driver_info=None) as user:
            assert user.dbsize() == 0
            with pytest.raises(NoPermissionError):
                user.set("asynq:one", "1")


def test_a_sentinel_takes_its_own() -> None:
    options = {"sentinel": "monitor mymaster 127.0.0.1 1 1"}
    with RealServer(debian("redis-sentinel"), options, sentinel=True) as sentinel:
        with sentinel.client() as admin:
            command: Any = admin.execute_command
            command(acl.set_user(acl.AclScope.SENTINEL))
        login = {"username": acl.USER, "password": acl.PLACEHOLDER, "driver_info": None}
        with sentinel.client(**login) as client:
            user: Any = client
            ask = ("SENTINEL", "GET-MASTER-ADDR-BY-NAME", "mymaster")
            assert user.execute_command(*ask) == [b"127.0.0.1", b"1"]
            for refused in (("SENTINEL", "REMOVE", "mymaster"), ("INFO",), ("SHUTDOWN",)):
                with pytest.raises(NoPermissionError):
                    user.execute_command(*refused)


def test_what_is_printed(here: Callable[..., Result]) -> None:
    assert here("acl").out == acl.set_user() + "\n"
    assert here("acl", "--format", "aclfile").out == acl.file_line() + "\n"
    old = here("acl", "--redis", "6.2", "--user", "mon").out
    assert old.startswith("ACL SETUSER mon reset on >PASSWORD ~asynq:* +client|setname ")
    assert "eval_ro" not in old
    assert "+cluster|slots" in here("acl", "--for", "cluster").out
    sentinel = here("acl", "--for", "sentinel").out
    assert sentinel.endswith(" >PASSWORD +sentinel|get-master-addr-by-name\n")


@pytest.mark.parametrize("name", ["", "a b", "x\x1b[2J", "é", "x" * 65])
def test_a_name_that_is_none(here: Callable[..., Result], name: str) -> None:
    line = here("acl", "--user", name).failed(2)
    assert line == "--user must be 1 to 64 ASCII characters without spaces."


@pytest.mark.parametrize("name", ['a"b', "a'b"])
def test_a_name_with_a_quote(here: Callable[..., Result], name: str) -> None:
    assert here("acl", "--user", name).failed(2) == "--user must not contain quotes."
