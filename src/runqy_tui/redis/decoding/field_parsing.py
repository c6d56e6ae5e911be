"""Field values of hashes, written by several programs over several years, read tolerantly."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from runqy_tui.model import TaskState
from runqy_tui.text.safe import decode

_ENTRY = re.compile(r"(.*?):(-?[0-9]{1,9})(?: |\Z)", re.DOTALL)
_STATES = {state.value.encode(): state for state in TaskState}
_FIRST_ABSURD_S = 1e12
_NANOSECONDS = 1e14
"""Above this a ``pending_since`` is nanoseconds, below it is seconds (CONTRACT, section 2)."""


def whole(raw: bytes | None) -> int | None:
    """An integer such as ``4`` or ``-1``; ``None`` for anything else or more than 19 digits."""
    if raw is None or len(raw) > 20:
        return None
    text = raw.strip()
    digits = text[1:] if text[:1] == b"-" else text
    return int(text) if digits.isdigit() and len(digits) <= 19 else None


def moment(raw: bytes | None) -> float | None:
    """A unix time in seconds; ``None`` for 0, for what is no number and for absurd values."""
    if raw is None or len(raw) > 40:
        return None
    try:
        value = float(raw)
    except ValueError:
        return None
    return value if 0 < value < _FIRST_ABSURD_S else None


def seconds(value: int | None) -> float | None:
    """A unix time that a message holds as whole seconds; ``None`` for 0 and absurd values."""
    return float(value) if value and 0 < value < _FIRST_ABSURD_S else None


def task_state(raw: bytes | None) -> TaskState | None:
    """The ``state`` field of a task's hash; ``None`` if it is absent or none of the known ones."""
    return _STATES.get(raw or b"")


def pending_since(raw: bytes | None) -> float | None:
    """Nanoseconds (asynq, runqy server) or seconds (runqy-worker), distinguished by size."""
    value = whole(raw)
    if value is not None and value > _NANOSECONDS:
        return value / 1e9
    return moment(raw)


def flag(raw: bytes | None) -> bool | None:
    """``1``/``0`` (runqy) and ``true``/``false`` (its documentation)."""
    if raw is None:
        return None
    return {b"1": True, b"true": True, b"0": False, b"false": False}.get(raw.strip().lower())


def text(raw: bytes | None) -> str | None:
    """Text, ``None`` where the field is absent or empty."""
    return decode(raw) if raw else None


def json_object(raw: bytes) -> dict[str, Any] | None:
    """A JSON object, ``None`` where the bytes are none."""
    try:
        value = json.loads(decode(raw))
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def number(value: object) -> float | None:
    """A finite number of sane size out of JSON; ``True``, text, NaN and 1e300 are ``None``."""
    if type(value) is float or type(value) is int:  # a bool is an int to isinstance
        return float(value) if -1e15 < value < 1e15 else None
    return None


def count(value: object) -> int | None:
    """A whole number out of JSON that is not negative."""
    found = number(value)
    return int(found) if found is not None and found >= 0 else None


def queues(raw: bytes) -> tuple[Mapping[str, int | None], bool]:
    """Queue names with priorities, and whether all of the text made sense.

    ``map[a.high:10 a.low:1]`` (Go's print of a map: names may hold colons and spaces, so that the
    priority is what follows the last colon) or ``a.high,a.low``, which has no priorities.
    """
    spelled = decode(raw).strip()
    if spelled.startswith("map[") and spelled.endswith("]"):
        return _go_map(spelled[4:-1])
    names = [name.strip() for name in spelled.split(",")]
    return {name: None for name in names if name}, True


def _go_map(inner: str) -> tuple[Mapping[str, int | None], bool]:
    found: dict[str, int | None] = {}
    position = 0
    while position < len(inner) and (entry := _ENTRY.match(inner, position)):
        found[entry[1]] = int(entry[2])
        position = entry.end()
    return found, position >= len(inner) and not inner.endswith(" ")
