"""Objects of the model again, a moment later: the same but for their ages.

A frozen dataclass takes a call per field to be made, and a fleet has thousands of objects at each
poll of which nothing but an age changed: their fields are copied without a detour.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from itertools import repeat
from operator import attrgetter, call
from typing import Any, TypeVar

from runqy_tui.model import Queue, Worker

_T = TypeVar("_T")


def copier(kind: type[_T]) -> Callable[[_T], _T]:
    """Makes a function that copies objects of a frozen, slotted dataclass."""
    names = [field.name for field in fields(kind)]  # type: ignore[arg-type]
    values = attrgetter(*names)
    setters = [setter(kind, name) for name in names]

    def copy(old: _T) -> _T:
        made: Any = object.__new__(kind)
        any(map(call, setters, repeat(made), values(old)))  # a setter gives None: all are called
        return made  # type: ignore[no-any-return]

    return copy


def setter(kind: type[object], name: str) -> Callable[[object, object], None]:
    """Sets a field of a copy that nobody has seen yet."""
    found: Callable[[object, object], None] = getattr(kind, name).__set__
    return found


_copy_worker = copier(Worker)
_copy_queue = copier(Queue)
_set_beat_age = setter(Worker, "last_beat_age_s")
_set_worker_read = setter(Worker, "read_at")
_set_oldest_age = setter(Queue, "oldest_pending_age_s")
_set_queue_read = setter(Queue, "read_at")


def aged_worker(worker: Worker, now: float) -> Worker:
    """The same worker at ``now``, read by this poll."""
    beat = worker.last_beat_at
    if worker.read_at is None and beat is None:
        return worker
    made = _copy_worker(worker)
    _set_beat_age(made, None if beat is None else max(0.0, now - beat))
    _set_worker_read(made, None)
    return made


def unread_worker(worker: Worker, read_at: float) -> Worker:
    """The same worker as it was when it was read."""
    if worker.read_at == read_at:
        return worker
    made = _copy_worker(worker)
    _set_worker_read(made, read_at)
    return made


def aged_queue(queue: Queue, now: float) -> Queue:
    """The same queue at ``now``, read by this poll."""
    since = queue.oldest_pending_since
    if queue.read_at is None and since is None:
        return queue
    made = _copy_queue(queue)
    _set_oldest_age(made, None if since is None else max(0.0, now - since))
    _set_queue_read(made, None)
    return made


def unread_queue(queue: Queue, read_at: float) -> Queue:
    """The same queue as it was when it was read."""
    if queue.read_at == read_at:
        return queue
    made = _copy_queue(queue)
    _set_queue_read(made, read_at)
    return made
