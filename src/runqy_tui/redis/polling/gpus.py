"""The GPUs of a worker's machine, taken apart when somebody looks at them.

A large fleet tells of twenty thousand with each beat, and a screen shows those of a few workers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import overload

from runqy_tui.model import Gpu
from runqy_tui.redis.decoding import parse

_MOST_GPUS = 64


class Gpus(Sequence[Gpu]):
    """What ``metrics`` says of GPUs, the first 64; equal to a tuple of the same."""

    __slots__ = ("_made", "_raw")

    def __init__(self, raw: bytes) -> None:
        self._raw = raw
        self._made: tuple[Gpu, ...] | None = None

    def _all(self) -> tuple[Gpu, ...]:
        if self._made is None:
            told = (parse.json_object(self._raw) or {}).get("gpus")
            entries = told[:_MOST_GPUS] if isinstance(told, list) else []
            self._made = tuple(_gpu(entry) for entry in entries if isinstance(entry, dict))
        return self._made

    def __len__(self) -> int:
        return len(self._all())

    def __iter__(self) -> Iterator[Gpu]:
        return iter(self._all())

    @overload
    def __getitem__(self, index: int) -> Gpu: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Gpu, ...]: ...
    def __getitem__(self, index: int | slice) -> Gpu | tuple[Gpu, ...]:
        return self._all()[index]

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Gpus):
            return self._raw == other._raw or self._all() == other._all()
        return self._all() == other

    def __hash__(self) -> int:
        return hash(self._all())

    def __repr__(self) -> str:
        return repr(self._all())


def _gpu(entry: dict[str, object]) -> Gpu:
    name = entry.get("name")
    return Gpu(
        index=parse.count(entry.get("index")),
        name=name if isinstance(name, str) and name else None,
        utilization_percent=parse.number(entry.get("utilization_percent")),
        memory_used_mb=parse.number(entry.get("memory_used_mb")),
        memory_total_mb=parse.number(entry.get("memory_total_mb")),
        temperature_c=parse.number(entry.get("temperature_c")),
    )
