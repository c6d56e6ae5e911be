"""The ``paused`` mark and the counters of a queue, and which of them cannot be known.

MGET returns nil for a key of another type as for one that does not exist: 0 and "not paused" would
be wrong then. EXISTS in the same trip counts the keys. Where there are more than MGET had values
for, those without one are unknown, and the next poll asks TYPE which of them it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum

from runqy_tui.model import QueueKey
from runqy_tui.redis import keys
from runqy_tui.redis.decoding import field_parsing
from runqy_tui.redis.polling.warnings import Warnings
from runqy_tui.redis.wire.replies import Reply, data, integer, items
from runqy_tui.redis.wire.transport import Batch
from runqy_tui.text.safe import decode


class CounterKey(IntEnum):
    """The five string keys of a queue, in the order in which they are read."""

    PAUSED = 0
    PROCESSED = 1
    FAILED = 2
    PROCESSED_TODAY = 3
    FAILED_TODAY = 4


_SOUND_TYPES = (b"string", b"none")


@dataclass(slots=True)
class QueueCounters:
    """``values`` in the order of :class:`CounterKey`, empty where the read was refused.

    ``unread``: those whose key may hold another type; ``wrong``: those of which that is certain.
    ``excess``: how many keys must be of another type.
    """

    values: list[bytes | None] = field(default_factory=list)
    unread: tuple[CounterKey, ...] = ()
    wrong: tuple[CounterKey, ...] = ()
    excess: int = 0

    def is_known(self, which: CounterKey) -> bool:
        """Whether the value, nil too, is what the key holds."""
        return which < len(self.values) and which not in self.unread

    def count(self, which: CounterKey) -> int | None:
        """A counter; an absent one is 0, since both writers create it with the first task."""
        if not self.is_known(which):
            return None
        raw = self.values[which]
        return 0 if raw is None else field_parsing.whole(raw)

    @property
    def paused(self) -> bool | None:
        """Whether the queue is paused, ``None`` where that cannot be read."""
        known = self.is_known(CounterKey.PAUSED)
        return self.values[CounterKey.PAUSED] is not None if known else None

    @property
    def paused_at(self) -> float | None:
        """Unix seconds since when the queue is paused, ``None`` where it is not or is unknown."""
        return field_parsing.moment(self.values[CounterKey.PAUSED]) if self.paused else None

    def narrow_down(self, types: Mapping[CounterKey, bytes | None]) -> None:
        """Use the replies to TYPE of some keys: where they explain all, the others are absent."""
        self.wrong = tuple(
            which for which in self.unread if (types.get(which) or b"none") not in _SOUND_TYPES
        )
        doubtful = tuple(which for which in self.unread if types.get(which) not in _SOUND_TYPES)
        self.unread = self.wrong if len(self.wrong) >= self.excess else doubtful

    def warn(self, queue: QueueKey, day: str, warnings: Warnings) -> None:
        """Warn of the keys of another type; until they are known, of where they are."""
        names = [decode(name) for name in counter_names(queue, day)]
        for which in self.wrong:
            warnings.add(f"{names[which]} has another type than it should: left out")
        if self.unread and not self.wrong:
            warnings.add(
                f"{names[CounterKey.PAUSED]} or a counter of this queue has another type than it "
                "should: left out"
            )


def counter_names(queue: QueueKey, day: str) -> tuple[bytes, ...]:
    """The keys in the order of :class:`CounterKey`; ``day`` is a UTC day, ``YYYY-MM-DD``."""
    prefix = keys.queue_prefix(queue)
    names = ("paused", "processed", "failed", f"processed:{day}", f"failed:{day}")
    return tuple(prefix + name.encode() for name in names)


def ask_counters(batch: Batch, queue: QueueKey, day: str) -> None:
    """Add EXISTS and MGET: in this order, a key made between them is no excess."""
    names = counter_names(queue, day)
    batch.ask("EXISTS", *names)
    batch.ask("MGET", *names)


def ask_types(batch: Batch, queue: QueueKey, day: str, which: tuple[CounterKey, ...]) -> None:
    """Add TYPE of some of the keys."""
    names = counter_names(queue, day) if which else ()
    for one in which:
        batch.ask("TYPE", names[one])


def parse_counters(existing: Reply, values: Reply) -> QueueCounters:
    """Parse the replies to :func:`ask_counters`."""
    found = [data(value) for value in items(values)]
    if len(found) != len(CounterKey):
        return QueueCounters()
    absent = tuple(which for which in CounterKey if found[which] is None)
    excess = (integer(existing) or 0) - (len(CounterKey) - len(absent))
    return QueueCounters(found, absent, (), excess) if excess > 0 else QueueCounters(found)
