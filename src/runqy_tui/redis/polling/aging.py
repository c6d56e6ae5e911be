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


def copier(kind: type[_T]) -> Callable[[_T], _T]:
    """Makes a function that copies objects of a frozen, slotted dataclass.

    It is spelled out field by field, as dataclasses spell out their methods: a loop over the
    fields takes half as long again, and a poll of a large fleet makes six thousand copies.
    """
    names = [field.name for field in fields(kind)]  # type: ignore[arg-type]
    lines = ["def copy(old):", " made = new(kind)"]
    lines += [f" set_{name}(made, old.{name})" for name in names]
    known: dict[str, Any] = {f"set_{name}": setter(kind, name) for name in names}
    known |= {"new": object.__new__, "kind": kind}
    exec("\n".join([*lines, " return made"]), known)  # noqa: S102
    made: Callable[[_T], _T] = known["copy"]
    return made


def setter(kind: type[object], name: str) -> Callable[[object, object], None]:
    """Sets a field of a copy that nobody has seen yet."""
    found: Callable[[object, object], None] = getattr(kind, name).__set__
    return found


def _moments(
    kind: type[_T], since: str, age: str
) -> tuple[Callable[[_T, float], _T], Callable[[_T, float], _T]]:
    """Makes :func:`aged_worker` and :func:`unread_worker` for objects of a kind.

    ``since`` and ``age`` are the fields with a moment and with the seconds since then.
    """
    copy, since_of = copier(kind), attrgetter(since)
    set_read, set_age = setter(kind, "read_at"), setter(kind, age)

    def aged(old: Any, now: float) -> Any:
        moment = since_of(old)
        if old.read_at is None and moment is None:
            return old
        made = copy(old)
        set_age(made, None if moment is None else max(0.0, now - moment))
        set_read(made, None)
        return made

    def unread(old: Any, read_at: float) -> Any:
        if old.read_at == read_at:
            return old
        made = copy(old)
        set_read(made, read_at)
        return made

    return aged, unread


aged_worker, unread_worker = _moments(Worker, "last_beat_at", "last_beat_age_s")
"""The same worker at a moment, read by this poll; and as it was at the moment it was read."""

aged_queue, unread_queue = _moments(Queue, "oldest_pending_since", "oldest_pending_age_s")
"""The same of a queue."""
