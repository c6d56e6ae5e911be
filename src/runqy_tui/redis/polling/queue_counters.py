"""The strings of a queue, ``paused`` and its counters, and which of them cannot be told.

MGET gives nil for a key of another type as for one that is not there: 0 and "not paused" would be
wrong then. EXISTS in the same trip counts the keys. Where there are more than MGET had values
for, those without one are unknown, and the next tails ask TYPE which of them it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from runqy_tui.model import QueueKey
from runqy_tui.redis import keys
from runqy_tui.redis.polling.warnings import Warnings
from runqy_tui.redis.wire.replies import Reply, data, integer, items
from runqy_tui.redis.wire.transport import Batch
from runqy_tui.text.safe import decode

PAUSED = 0
COUNT = 5
_SOUND = (b"string", b"none")


@dataclass(slots=True)
class QueueCounters:
    """``values`` in the order of :func:`names`, empty where the read was refused.

    ``unread``: places whose key may hold another type; ``wrong``: those of which that is sure.
    ``excess``: how many keys must be of another type.
    """

    values: list[bytes | None] = field(default_factory=list)
    unread: tuple[int, ...] = ()
    wrong: tuple[int, ...] = ()
    excess: int = 0

    def tell(self, place: int) -> bool:
        """Whether the value at this place, nil too, is what the key says."""
        return place < len(self.values) and place not in self.unread

    @property
    def paused(self) -> bool | None:
        """Whether the queue is paused, ``None`` where that cannot be read."""
        return self.values[PAUSED] is not None if self.tell(PAUSED) else None

    def warn(self, queue: QueueKey, day: str, warnings: Warnings) -> None:
        """Name the keys of another type; until that is known, where they are."""
        spelled = [decode(name) for name in names(queue, day)]
        for place in self.wrong:
            warnings.add(f"{spelled[place]} has another type than it should: left out")
        if self.unread and not self.wrong:
            warnings.add(
                f"{spelled[PAUSED]} or a counter of this queue has another type than it should: "
                "left out"
            )


def names(queue: QueueKey, day: str) -> tuple[bytes, ...]:
    """The five keys: paused, both counters, and both of the day (UTC, ``YYYY-MM-DD``)."""
    prefix = keys.queue_prefix(queue)
    spelled = ("paused", "processed", "failed", f"processed:{day}", f"failed:{day}")
    return tuple(prefix + name.encode() for name in spelled)


def ask_strings(batch: Batch, queue: QueueKey, day: str) -> None:
    """Add EXISTS and MGET: in this order, a key made between them is no excess."""
    asked = names(queue, day)
    batch.ask("EXISTS", *asked)
    batch.ask("MGET", *asked)


def ask_types(batch: Batch, queue: QueueKey, day: str, places: tuple[int, ...]) -> None:
    """Add TYPE of the keys at these places."""
    asked = names(queue, day) if places else ()
    for place in places:
        batch.ask("TYPE", asked[place])


def read_strings(existing: Reply, values: Reply) -> QueueCounters:
    """Take in the replies to :func:`ask_strings`."""
    found = [data(value) for value in items(values)]
    if len(found) != COUNT:
        return QueueCounters()
    absent = tuple(place for place, value in enumerate(found) if value is None)
    excess = (integer(existing) or 0) - (COUNT - len(absent))
    return QueueCounters(found, absent, (), excess) if excess > 0 else QueueCounters(found)


def judge(strings: QueueCounters, kinds: Mapping[int, bytes | None]) -> None:
    """Take in what TYPE said of some places: where it explains all, the others are absent."""
    strings.wrong = tuple(
        place for place in strings.unread if (kinds.get(place) or b"none") not in _SOUND
    )
    doubtful = tuple(place for place in strings.unread if kinds.get(place) not in _SOUND)
    strings.unread = strings.wrong if len(strings.wrong) >= strings.excess else doubtful
