"""The rights that a monitor needs, as Redis's own ACL rules: exactly these and nothing beyond.

They are made from :data:`~runqy_tui.redis.wire.command_encoding.ALLOWED`: the commands that the
program may send and those that its user may run are one list.
"""

from __future__ import annotations

from enum import StrEnum

from runqy_tui.redis.wire.command_encoding import ALLOWED

USER = "runqy-tui"
PLACEHOLDER = "PASSWORD"
KEYS = "asynq:*"

CONNECTING = frozenset({"SELECT"})
"""What the client library sends by itself; its AUTH needs no right."""

_SINCE_7 = frozenset({"EVAL_RO"})
_CLUSTER = frozenset(name for name in ALLOWED if name.startswith("CLUSTER ")) | (
    ALLOWED & {"ASKING", "READONLY"}
)
_SENTINEL = frozenset(name for name in ALLOWED if name.startswith("SENTINEL "))


class AclScope(StrEnum):
    """Where a user is made: on a server, on each node of a cluster, or on each Sentinel."""

    SERVER = "server"
    CLUSTER = "cluster"
    SENTINEL = "sentinel"


def commands_at(place: AclScope, *, legacy: bool = False) -> frozenset[str]:
    """The commands that a monitor sends there; ``legacy`` is Redis 6.2, which lacks some."""
    if place is AclScope.SENTINEL:
        return _SENTINEL
    granted = (ALLOWED - _SENTINEL - _CLUSTER) | CONNECTING
    if place is AclScope.CLUSTER:
        granted = (granted | _CLUSTER) - CONNECTING  # a cluster has one database
    return granted - _SINCE_7 if legacy else granted


def rule(place: AclScope = AclScope.SERVER, *, legacy: bool = False) -> str:
    """Key pattern and commands. Redis 6.2 has no ``%R``: there the commands alone keep it reading.

    A Sentinel holds no keys, and gets no pattern.
    """
    commands = sorted(commands_at(place, legacy=legacy))
    granted = [f"+{name.lower().replace(' ', '|')}" for name in commands]
    keys = [] if place is AclScope.SENTINEL else [f"~{KEYS}" if legacy else f"%R~{KEYS}"]
    return " ".join([*keys, *granted])


def set_user(
    place: AclScope = AclScope.SERVER,
    *,
    legacy: bool = False,
    user: str = USER,
    password: str = PLACEHOLDER,
) -> str:
    """``ACL SETUSER …``, to be typed into redis-cli; what the user could do before is gone."""
    return f"ACL SETUSER {user} reset on >{password} {rule(place, legacy=legacy)}"


def file_line(
    place: AclScope = AclScope.SERVER,
    *,
    legacy: bool = False,
    user: str = USER,
    password: str = PLACEHOLDER,
) -> str:
    """The same as a line of ``redis.conf`` or of the file that ``aclfile`` names there."""
    return f"user {user} reset on >{password} {rule(place, legacy=legacy)}"
