"""Pieces of a line that share its width: what matters most stays longest."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from textual.content import Content


class LinePart(NamedTuple):
    """A piece of the header; the highest ``importance`` number gives way first.

    ``brief`` makes a shorter piece where all that is dispensable has gone; it is told how many
    cells there are for it.
    """

    importance: int
    content: Content
    right: bool = False
    brief: Callable[[int], Content] | None = None

    def within(self, room: int) -> LinePart:
        """The whole piece where there is room for it, else what can be done."""
        if self.brief is None or self.content.cell_length <= room:
            return self
        return self._replace(content=self.brief(room))


def fit_parts(parts: list[LinePart], width: int, needed: int, gap: int = 2) -> Content:
    """Lay the pieces out in ``width`` cells.

    Until they fit, those beyond importance ``needed`` are dropped, the others shortened from the
    right, and dropped at last: the least important always first.
    """
    kept = dict(enumerate(parts))
    least_first = sorted(kept, key=lambda place: -parts[place].importance)

    def spare() -> int:
        return width - sum(part.content.cell_length + gap for part in kept.values())

    for place in least_first:
        if spare() < 0 and parts[place].importance > needed:
            del kept[place]
    for place in sorted(kept, reverse=True):
        if spare() < 0:
            kept[place] = parts[place].within(parts[place].content.cell_length + spare())
    for place in least_first[:-1]:
        if spare() < 0 and place in kept:
            del kept[place]
    for place, part in kept.items():  # from the left: what the others have left over
        kept[place] = parts[place].within(part.content.cell_length + spare())
    blank = Content(" " * gap)
    left = blank.join([part.content for part in kept.values() if not part.right])
    right = blank.join([part.content for part in kept.values() if part.right])
    least = gap if left and right else 0
    middle = max(least, width - 2 - left.cell_length - right.cell_length)
    return Content.assemble(" ", left, " " * middle, right, " ")
