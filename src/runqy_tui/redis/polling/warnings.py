"""Warnings of one poll: each only once, alike ones together, and never too many to read."""

from __future__ import annotations

from collections.abc import Iterable

from redis.exceptions import MovedError, ResponseError

from runqy_tui.redis.wire.error_translation import (
    ACL_HINT,
    missing_command,
    permission_text,
    unknown_command,
)
from runqy_tui.redis.wire.replies import Reply, UnreachableError, refused
from runqy_tui.text.safe import decode

_MOST = 40


class Warnings:
    """Collects the warnings of one poll. Raw names are allowed: front ends make them safe."""

    def __init__(self) -> None:
        self._texts: dict[str, None] = {}
        self._refused: dict[str, None] = {}
        self._missing: dict[str, None] = {}

    def add(self, text: str) -> None:
        """Warn once of this."""
        self._texts[text] = None

    def include(self, others: Warnings) -> None:
        """Add the warnings of another collection."""
        self._texts.update(others._texts)
        self._refused.update(others._refused)
        self._missing.update(others._missing)

    def __bool__(self) -> bool:
        return bool(self._texts or self._refused or self._missing)

    def reply(self, reply: Reply, key: bytes) -> None:
        """Warn where a reply is an error: of its key, or of the command the ACL forbids."""
        if not isinstance(reply, ResponseError):
            return
        missing = missing_command(reply)
        if isinstance(reply, MovedError):
            self.add(
                "This is one node of a cluster: what other nodes hold is not read. "
                "Use redis+cluster:// in the URL"
            )
        elif isinstance(reply, UnreachableError):
            self.add(str(reply))
        elif missing is not None:
            self._missing[missing] = None
        elif refused(reply):
            self._refused[permission_text(reply)] = None
        elif str(reply).startswith("WRONGTYPE"):
            self.add(f"{decode(key)} has another type than it should: left out")
        else:
            self.add(f"{decode(key)} cannot be read: {reply}")

    def refusals(self, replies: Iterable[Reply], *, quiet: frozenset[str] = frozenset()) -> None:
        """Warn of each command that was refused, whatever it was for, but for the quiet ones."""
        for reply in [reply for reply in replies if isinstance(reply, ResponseError)]:
            if not refused(reply):
                continue
            if (missing_command(reply) or permission_text(reply).removeprefix("run ")) not in quiet:
                self.reply(reply, b"")

    def texts(self) -> tuple[str, ...]:
        """All warnings, in the order in which they came; what was refused goes first."""
        denied = []
        if self._refused:
            denied = [
                f"Redis does not let this user {_listed(self._refused)} (NOPERM): "
                f"what it would show is unknown; {ACL_HINT}"
            ]
        if self._missing:
            missing = unknown_command(", ".join(self._missing))
            denied.append(f"Redis {missing}; what it would show is unknown")
        texts = [*denied, *self._texts]
        if len(texts) > _MOST:
            texts = [*texts[:_MOST], f"and {len(texts) - _MOST} more warnings"]
        return tuple(texts)


def _listed(refused_things: Iterable[str]) -> str:
    """``run A, B and read a key``."""
    commands = [text.removeprefix("run ") for text in refused_things if text.startswith("run ")]
    others = [text for text in refused_things if not text.startswith("run ")]
    return " and ".join([*(["run " + ", ".join(commands)] if commands else []), *others])
