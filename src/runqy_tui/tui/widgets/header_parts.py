"""The parts of the header line: their importance, how they share the width, and who Redis is."""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum
from typing import NamedTuple

from textual.content import Content

from runqy_tui.config import Settings
from runqy_tui.model import RedisInfo, Snapshot
from runqy_tui.tui import safe_text
from runqy_tui.tui.theme import badge_style


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


_SHORTEST = 12
"""Cells that a name or an address keeps."""


class Importance(IntEnum):
    """Of the pieces of the header: the first stays on the narrowest screen.

    What comes behind :data:`NEEDED` is dropped before anything up to there is shortened.
    """

    UNVERIFIED = 0
    NAME = 1
    FRESH = 2
    CRITICAL = 3
    WARNING = 4
    ALERTS = 5
    ADDRESS = 6
    READ_ONLY_WANTED = 7
    LOW_BANDWIDTH = 8
    OLDEST = 9
    TITLE = 10
    READ_ONLY = 11
    SERVER = 12
    FIGURES = 13
    TITLE_BESIDE_NAME = 14
    CLOCK = 15
    LINK = 16


NEEDED = Importance.LOW_BANDWIDTH


def where_parts(settings: Settings, snapshot: Snapshot | None) -> list[LinePart]:
    """Which Redis this is: what the user calls it, its address, and whether that is sure."""
    parts = []
    named = settings.name is not None
    if settings.name is not None:
        parts.append(_badge(settings.name, settings.colour))
    unverified = settings.unverified if snapshot is None else snapshot.redis.unverified
    if snapshot is not None:
        place, doubt = place_of(snapshot.redis)
        style = "bold $warning" if doubt else "bold"
        whole = safe_text.content(place, style)
        parts.append(
            LinePart(
                Importance.ADDRESS if named else Importance.NAME,
                whole,
                brief=_cut(place, style, keep=_telling(snapshot.redis)),
            )
        )
    if unverified:
        parts.append(
            LinePart(
                Importance.UNVERIFIED,
                Content.styled("TLS UNVERIFIED", "bold $warning"),
                brief=lambda _: Content.styled("UNVERIFIED", "bold $warning"),
            )
        )
    return parts


def _badge(name: str, colour: str | None) -> LinePart:
    if colour is None:
        style, pad = "bold $accent", ""
    else:
        style, pad = badge_style(colour), " "
    whole = Content.styled(f"{pad}{safe_text.line(name)}{pad}", style)
    return LinePart(Importance.NAME, whole, brief=_cut(name, style, pad))


def _telling(info: RedisInfo) -> safe_text.Keep:
    """The end of the place that tells more: hosts begin with their names, states come last."""
    return "end" if info.where.primary or info.where.nodes else "start"


def _cut(
    whole: str, style: str, pad: str = "", keep: safe_text.Keep = "start"
) -> Callable[[int], Content]:
    def to(room: int) -> Content:
        shown = safe_text.fit(whole, max(_SHORTEST, room - 2 * len(pad)), keep=keep).strip()
        return Content.styled(f"{pad}{shown}{pad}", style)

    return to


def place_of(info: RedisInfo) -> tuple[str, bool]:
    """Where the answers come from, not safe to show yet, and whether that is in doubt."""
    where = info.where
    if where.primary is not None:
        name, at, _ = info.address.partition("@")
        return f"{name} → {where.primary}" if at else where.primary, where.problem is not None
    if where.nodes:
        down = sum(node.problem is not None for node in where.nodes)
        state = f"{down} of {len(where.nodes)} nodes down" if down else f"{len(where.nodes)} nodes"
        return f"{info.address} · {state}", down > 0
    return info.address, False


def read_only(settings: Settings, style: str) -> LinePart:
    """The mark of a program that never writes; a profile that asks for it keeps it longer."""
    mark = Content.styled("read-only", style)
    if settings.marked_read_only:
        return LinePart(
            Importance.READ_ONLY_WANTED, mark, brief=lambda _: Content.styled("r/o", style)
        )
    return LinePart(Importance.READ_ONLY, mark)


def link_parts(mark: str, figures: str, style: str) -> list[LinePart]:
    """What there is to say of the link to the terminal: that it is spared, and what it carries."""
    parts = []
    if mark:
        parts.append(
            LinePart(
                Importance.LOW_BANDWIDTH,
                Content.styled(mark, "$warning"),
                True,
                lambda room: Content.styled(
                    "low bandwidth" if room >= len("low bandwidth") else "low bw", "$warning"
                ),
            )
        )
    if figures:
        parts.append(LinePart(Importance.LINK, Content.styled(figures, style), True))
    return parts
