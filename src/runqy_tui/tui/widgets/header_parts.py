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
    """A part of a line; the one with the highest ``importance`` number is dropped first.

    ``brief(cells)`` builds a shorter form, used once all dispensable parts are dropped. ``right``
    parts are aligned to the right.
    """

    importance: int
    content: Content
    right: bool = False
    brief: Callable[[int], Content] | None = None

    def fit_into(self, room: int) -> LinePart:
        """Return the part itself if it fits into ``room`` cells, else its brief form."""
        if self.brief is None or self.content.cell_length <= room:
            return self
        return self._replace(content=self.brief(room))


def fit_parts(parts: list[LinePart], width: int, needed: int, gap: int = 2) -> Content:
    """Lay the parts out in ``width`` cells.

    Until they fit, first the parts beyond importance ``needed`` are dropped, then the others are
    shortened from the right, and finally those are dropped too, the least important first.
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
            kept[place] = parts[place].fit_into(parts[place].content.cell_length + spare())
    for place in least_first[:-1]:
        if spare() < 0 and place in kept:
            del kept[place]
    for place, part in kept.items():  # from the left: use the cells that are left over
        kept[place] = parts[place].fit_into(part.content.cell_length + spare())
    blank = Content(" " * gap)
    left = blank.join([part.content for part in kept.values() if not part.right])
    right = blank.join([part.content for part in kept.values() if part.right])
    least = gap if left and right else 0
    middle = max(least, width - 2 - left.cell_length - right.cell_length)
    return Content.assemble(" ", left, " " * middle, right, " ")


_LEAST_CELLS = 12
"""Cells to which a name or an address is shortened at most."""


class Importance(IntEnum):
    """Importance of the header's parts: the first is shown on the narrowest screen.

    Parts after :data:`NEEDED` are dropped before any other is shortened.
    """

    UNVERIFIED = 0
    NAME = 1
    FRESHNESS = 2
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
    STATISTICS = 13
    TITLE_BESIDE_NAME = 14
    CLOCK = 15
    LINK = 16


NEEDED = Importance.LOW_BANDWIDTH


def address_parts(settings: Settings, snapshot: Snapshot | None) -> list[LinePart]:
    """Name and address of the Redis server, and whether its certificate is unverified."""
    parts = []
    named = settings.name is not None
    if settings.name is not None:
        parts.append(_badge(settings.name, settings.colour))
    unverified = settings.unverified if snapshot is None else snapshot.redis.unverified
    if snapshot is not None:
        place, is_doubtful = describe_address(snapshot.redis)
        style = "bold $warning" if is_doubtful else "bold"
        whole = safe_text.content(place, style)
        parts.append(
            LinePart(
                Importance.ADDRESS if named else Importance.NAME,
                whole,
                brief=_shortened_to(place, style, keep=_end_to_keep(snapshot.redis)),
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
    return LinePart(Importance.NAME, whole, brief=_shortened_to(name, style, pad))


def _end_to_keep(info: RedisInfo) -> safe_text.Keep:
    """The end of the address to keep when shortened: host names are first, states are last."""
    return "end" if info.where.primary or info.where.nodes else "start"


def _shortened_to(
    whole: str, style: str, pad: str = "", keep: safe_text.Keep = "start"
) -> Callable[[int], Content]:
    def to(room: int) -> Content:
        shown = safe_text.fit(whole, max(_LEAST_CELLS, room - 2 * len(pad)), keep=keep).strip()
        return Content.styled(f"{pad}{shown}{pad}", style)

    return to


def describe_address(info: RedisInfo) -> tuple[str, bool]:
    """Address of the server that answers (untrusted), and whether it has a problem."""
    topology = info.where
    if topology.primary is not None:
        name, at, _ = info.address.partition("@")
        return (
            f"{name} → {topology.primary}" if at else topology.primary,
            topology.problem is not None,
        )
    if topology.nodes:
        down = sum(node.problem is not None for node in topology.nodes)
        state = (
            f"{down} of {len(topology.nodes)} nodes down"
            if down
            else f"{len(topology.nodes)} nodes"
        )
        return f"{info.address} · {state}", down > 0
    return info.address, False


def read_only_part(settings: Settings, style: str) -> LinePart:
    """The read-only mark; it is more important if the profile asks for it."""
    mark = Content.styled("read-only", style)
    if settings.marked_read_only:
        return LinePart(
            Importance.READ_ONLY_WANTED, mark, brief=lambda _: Content.styled("r/o", style)
        )
    return LinePart(Importance.READ_ONLY, mark)


def link_parts(mark: str, statistics: str, style: str) -> list[LinePart]:
    """The link to the terminal: the low-bandwidth mark and the measured figures."""
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
    if statistics:
        parts.append(LinePart(Importance.LINK, Content.styled(statistics, style), True))
    return parts
