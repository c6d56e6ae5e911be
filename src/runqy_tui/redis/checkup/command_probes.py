"""Sends each command that a monitor needs once, in a form that is cheap and finds nothing."""

from __future__ import annotations

from collections.abc import Mapping

from redis.exceptions import NoPermissionError, ResponseError

from runqy_tui.model.check_line import CheckLine, Verdict
from runqy_tui.model.errors import AccessDeniedError
from runqy_tui.redis.checkup.acl import CONNECTING, KEYS, AclScope, commands_at
from runqy_tui.redis.connecting.target import RedisTarget
from runqy_tui.redis.wire.error_translation import missing_command
from runqy_tui.redis.wire.replies import Reply
from runqy_tui.redis.wire.transport import Batch, RedisLink

TOPIC = "commands"
_CODE = AccessDeniedError.exit_code
_KEY = b"asynq:runqy-tui:doctor"
"""No key of any dialect: nothing is stored there."""

_RANGE = (_KEY, 0, 0)
SAMPLES: Mapping[str, tuple[bytes | str | int, ...]] = {
    "CLUSTER SLOTS": (),
    "DBSIZE": (),
    "EVAL_RO": ("return 1", 1, _KEY),
    "EXISTS": (_KEY,),
    "GETRANGE": _RANGE,
    "HEXISTS": (_KEY, "f"),
    "HGET": (_KEY, "f"),
    "HKEYS": (_KEY,),
    "HLEN": (_KEY,),
    "HMGET": (_KEY, "f"),
    "HRANDFIELD": (_KEY, 1),
    "HSTRLEN": (_KEY, "f"),
    "INFO": ("server",),
    "LINDEX": (_KEY, 0),
    "LLEN": (_KEY,),
    "LRANGE": _RANGE,
    "MGET": (_KEY,),
    "PTTL": (_KEY,),
    "SCAN": (0, "MATCH", _KEY, "COUNT", 1, "TYPE", "hash"),
    "SSCAN": (_KEY, 0, "COUNT", 1),
    "STRLEN": (_KEY,),
    "TIME": (),
    "TYPE": (_KEY,),
    "ZCARD": (_KEY,),
    "ZRANGE": _RANGE,
    "ZRANK": (_KEY, "m"),
    "ZREVRANGE": _RANGE,
    "ZSCORE": (_KEY, "m"),
}
"""Arguments. Without ASKING, which has no meaning unless slots move between nodes."""

WITHOUT: Mapping[str, str] = {
    "CLIENT SETNAME": "CLIENT LIST does not show whose this connection is",
    "DBSIZE": "how much of the key space was searched is unknown",
    "EVAL_RO": "values over 256 KiB are read whole up to 16 MiB, and not at all beyond",
    "INFO": "version, role and memory are unknown",
    "PTTL": "when a task expires, and whether a worker's clock is off, is unknown",
    "SCAN": "lists without braces and workers outside the index are not found",
    "TIME": "ages are by INFO's clock, or by this machine's",
}
"""The effect of lacking a command that is not essential."""


def scope_of(target: RedisTarget) -> AclScope:
    """The scope of ``runqy-tui acl`` that applies to the servers that hold the keys."""
    return AclScope.CLUSTER if "cluster" in target.scheme else AclScope.SERVER


async def try_commands(link: RedisLink) -> list[CheckLine]:
    """One line for all commands that work, and one for each that does not; one round trip.

    Raises what :meth:`RedisLink.trip` raises.
    """
    names = sorted(commands_at(scope_of(link.target)) - CONNECTING - {"ASKING"})
    batch, own_name = Batch(), (link.target.client_name,)
    slots = {name: batch.ask(*name.split(), *SAMPLES.get(name, own_name)) for name in names}
    replies = await link.trip(batch)
    answers = {name: replies[slot] for name, slot in slots.items()}
    lines = [line for name in names if (line := _classify(name, answers[name], link.target))]
    refused = [name for name in names if _is_key_denied(answers[name])]
    if refused:
        lines.insert(0, _no_keys(refused, link.target))
    good = len(names) - len(lines) - max(0, len(refused) - 1)
    if not lines:
        return [CheckLine(TOPIC, Verdict.OK, f"all {good} that a monitor needs are allowed")]
    return [CheckLine(TOPIC, Verdict.OK, f"{good} of {len(names)} are allowed"), *lines]


def _is_key_denied(reply: Reply) -> bool:
    """Whether the ACL allows the command, but not the key."""
    return isinstance(reply, NoPermissionError) and "' command" not in str(reply)


def _no_keys(names: list[str], target: RedisTarget) -> CheckLine:
    text = f"this user may not read keys {KEYS} (NOPERM), as {', '.join(names)} need it"
    return CheckLine(TOPIC, Verdict.FAIL, text, _mend(target), _CODE)


def _mend(target: RedisTarget) -> str:
    scope = scope_of(target)
    option = "" if scope is AclScope.SERVER else f" --for {scope.value}"
    return f"Give this user the rights that `runqy-tui acl{option}` prints."


def _classify(name: str, reply: Reply, target: RedisTarget) -> CheckLine | None:
    if not isinstance(reply, Exception) or _is_key_denied(reply):
        return None
    if isinstance(reply, NoPermissionError):
        return _missing(name, "is refused (NOPERM)", _mend(target))
    if missing_command(reply):
        remedy = "Restore the name of the command (rename-command), or use a later Redis."
        return _missing(name, "is unknown to this server", remedy)
    return _odd(name, reply)


def _missing(name: str, how: str, remedy: str) -> CheckLine:
    if name in WITHOUT:
        return CheckLine(TOPIC, Verdict.WARN, f"{name} {how}: {WITHOUT[name]}", remedy)
    return CheckLine(TOPIC, Verdict.FAIL, f"{name} {how}", remedy, _CODE)


def _odd(name: str, reply: Exception) -> CheckLine | None:
    """An error of neither the rights nor the command: an older form of it, for example."""
    if isinstance(reply, ResponseError) and str(reply).startswith(("MOVED", "WRONGTYPE")):
        return None
    text = f"{name} answers with an error: {str(reply)[:120]}"
    return CheckLine(TOPIC, Verdict.WARN, text, "Check the server's log.")
