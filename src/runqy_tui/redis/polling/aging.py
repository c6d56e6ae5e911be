"""Objects of the model again, a moment later: the same but for their ages.

A frozen dataclass takes a call per field to be made, and a fleet has thousands of objects at each
poll of which nothing but an age changed: their fields are copied without a detour.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from operator import attrgetter
from typing import Any, TypeVar

from runqy_tui.model import Queue, Worker

_T = TypeVar("_T")


def copier(kind: type[_T], *changed: str) -> Callable[..., _T]:
    """Makes a function ``copy(old, *values)`` for a frozen, slotted dataclass.

    The copy has these values in its ``changed`` fields. It is spelled out field by field, as
    dataclasses spell out their methods: a loop over the fields takes half as long again, and a
    poll of a large fleet makes six thousand copies.
    """
    names = [field.name for field in fields(kind)]  # type: ignore[arg-type]
    values = {name: name if name in changed else f"old.{name}" for name in names}
    lines = [f"def copy({', '.join(('old', *changed))}):", " made = new(kind)"]
    lines += [f" set_{name}(made, {value})" for name, value in values.items()]
    known: dict[str, Any] = {f"set_{name}": getattr(kind, name).__set__ for name in names}
    known |= {"new": object.__new__, "kind": kind}
    exec("\n".join([*lines, " return made"]), known)  # noqa: S102
    made: Callable[..., _T] = known["copy"]
    return made


def _moments(
    kind: type[_T], since: str, age: str
) -> tuple[Callable[[_T, float], _T], Callable[[_T, float], _T]]:
    """Makes :func:`aged_worker` and :func:`unread_worker` for objects of a kind.

    ``since`` and ``age`` are the fields with a moment and with the seconds since then.
    """
    since_of = attrgetter(since)
    copy, copy_unread = copier(kind, age, "read_at"), copier(kind, "read_at")

    def aged(old: Any, now: float) -> Any:
        moment = since_of(old)
        if moment is None:
            return old if old.read_at is None else copy(old, None, None)
        return copy(old, max(0.0, now - moment), None)

    def unread(old: Any, read_at: float) -> Any:
        return old if old.read_at == read_at else copy_unread(old, read_at)

    return aged, unread


aged_worker, unread_worker = _moments(Worker, "last_beat_at", "last_beat_age_s")
"""The same worker at a moment, read by this poll; and as it was at the moment it was read."""

aged_queue, unread_queue = _moments(Queue, "oldest_pending_since", "oldest_pending_age_s")
"""The same of a queue."""
