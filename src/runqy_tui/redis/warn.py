"""Warnings of one poll: each said once, alike ones counted, and never too many to read."""

from __future__ import annotations

from redis.exceptions import MovedError, ResponseError

from runqy_tui.redis.faults import ACL_HINT, permission_text
from runqy_tui.redis.replies import Reply, refused
from runqy_tui.safetext import decode

_MOST = 40


class Warnings:
    """Collects the warnings of one poll. Raw names are allowed: front ends make them safe."""

    def __init__(self) -> None:
        self._texts: dict[str, None] = {}
        self._refused: dict[str, None] = {}

    def add(self, text: str) -> None:
        """Warn once of this."""
        self._texts[text] = None

    def reply(self, reply: Reply, key: bytes) -> None:
        """Warn where a reply is an error: of its key, or of the command the ACL forbids."""
        if not isinstance(reply, ResponseError):
            return
        if isinstance(reply, MovedError):
            self.add("This is one node of a cluster: what other nodes hold is not read")
        elif refused(reply):
            self._refused[permission_text(reply)] = None
        elif str(reply).startswith("WRONGTYPE"):
            self.add(f"{decode(key)} has another type than it should: left out")
        else:
            self.add(f"{decode(key)} cannot be read: {reply}")

    def texts(self) -> tuple[str, ...]:
        """All warnings, in the order in which they came."""
        denied = []
        if self._refused:
            commands = ", ".join(self._refused)
            denied = [
                f"Redis does not let this user run {commands} (NOPERM): "
                f"what that would tell is unknown here; {ACL_HINT}"
            ]
        texts = [*denied, *self._texts]
        if len(texts) > _MOST:
            texts = [*texts[:_MOST], f"and {len(texts) - _MOST} more warnings"]
        return tuple(texts)
