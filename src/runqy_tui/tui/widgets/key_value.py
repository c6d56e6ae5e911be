"""Facts: names and values in one or two columns, scrolling where there is no room."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from runqy_tui.tui import safe_text

_TWO_COLUMNS_FROM = 96
_GAP = 3
_NAME_CELLS = 14


class KeyValue(NamedTuple):
    """One fact. ``value`` is untrusted; an empty name continues the one above.

    ``wide``: a long value that gets a line of its own.
    """

    name: str
    value: str
    style: str = ""
    wide: bool = False


class KeyValueList(VerticalScroll, can_focus=True):
    """A sheet of facts."""

    DEFAULT_CSS = """
    KeyValueList { height: 1fr; scrollbar-size-vertical: 1; }
    KeyValueList > Static { width: 100%; }
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._facts: tuple[KeyValue, ...] = ()
        self._extra = Content("")
        self._static = Static(Content(""), markup=False)

    def compose(self) -> ComposeResult:
        """Build the sheet."""
        yield self._static

    def show(self, facts: Sequence[KeyValue], extra: Content | None = None) -> None:
        """Show these facts, and ``extra`` beneath them; the same ones repaint nothing."""
        extra = extra or Content("")
        if (tuple(facts), extra.markup) != (self._facts, self._extra.markup):
            self._facts, self._extra = tuple(facts), extra
            self._draw()

    def on_resize(self) -> None:
        """Lay out anew."""
        self._draw()

    def _draw(self) -> None:
        width = max(20, self.size.width - 2)
        sheet = lay_out(self._facts, width)
        if self._extra.plain:
            sheet = Content("\n\n").join([sheet, self._extra]) if self._facts else self._extra
        self._static.update(sheet)


def lay_out(facts: Sequence[KeyValue], width: int) -> Content:
    """Arrange facts in ``width`` cells."""
    double = width >= _TWO_COLUMNS_FROM
    cell = (width - _GAP) // 2 if double else width
    lines: list[Content] = []
    waiting: list[Content] = []
    for fact in facts:
        if fact.wide or not double:
            if waiting:
                lines.append(waiting.pop())
            lines += _wrapped(fact, width)
            continue
        waiting.append(_line(fact, cell))
        if len(waiting) == 2:
            lines.append(Content(" " * _GAP).join(waiting))
            waiting = []
    return Content("\n").join([*lines, *waiting])


def _line(fact: KeyValue, width: int) -> Content:
    room = max(1, width - _NAME_CELLS)
    return Content.assemble(
        (safe_text.fit(fact.name, _NAME_CELLS), "$muted"),
        (safe_text.fit(fact.value, room), fact.style),
    )


def _wrapped(fact: KeyValue, width: int) -> list[Content]:
    room = max(1, width - _NAME_CELLS)
    pieces = safe_text.wrap(safe_text.line(fact.value), room)
    names = [fact.name, *[""] * (len(pieces) - 1)]
    return [
        Content.assemble((safe_text.fit(name, _NAME_CELLS), "$muted"), (piece, fact.style))
        for name, piece in zip(names, pieces, strict=True)
    ]
