"""A list of names and values in one or two columns, which scrolls."""

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
    """A name and its value, which is untrusted; an empty name continues the one above.

    ``wide`` gives a long value a line of its own.
    """

    name: str
    value: str
    style: str = ""
    wide: bool = False


class KeyValueList(VerticalScroll, can_focus=True):
    """Shows names and values."""

    DEFAULT_CSS = """
    KeyValueList { height: 1fr; scrollbar-size-vertical: 1; }
    KeyValueList > Static { width: 100%; }
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._items: tuple[KeyValue, ...] = ()
        self._extra = Content("")
        self._static = Static(Content(""), markup=False)

    def compose(self) -> ComposeResult:
        """Compose the list."""
        yield self._static

    def show(self, items: Sequence[KeyValue], extra: Content | None = None) -> None:
        """Show these items, and ``extra`` below them; repainted only if they differ."""
        extra = extra or Content("")
        if (tuple(items), extra.markup) != (self._items, self._extra.markup):
            self._items, self._extra = tuple(items), extra
            self._draw()

    def on_resize(self) -> None:
        """Lay the items out in the new width."""
        self._draw()

    def _draw(self) -> None:
        width = max(20, self.size.width - 2)
        content = layout_items(self._items, width)
        if self._extra.plain:
            content = Content("\n\n").join([content, self._extra]) if self._items else self._extra
        self._static.update(content)


def layout_items(items: Sequence[KeyValue], width: int) -> Content:
    """Lay items out in ``width`` cells, in two columns where they fit."""
    two_columns = width >= _TWO_COLUMNS_FROM
    cell = (width - _GAP) // 2 if two_columns else width
    lines: list[Content] = []
    half_line: list[Content] = []
    for item in items:
        if item.wide or not two_columns:
            if half_line:
                lines.append(half_line.pop())
            lines += _wide_item(item, width)
            continue
        half_line.append(_short_item(item, cell))
        if len(half_line) == 2:
            lines.append(Content(" " * _GAP).join(half_line))
            half_line = []
    return Content("\n").join([*lines, *half_line])


def _short_item(item: KeyValue, width: int) -> Content:
    room = max(1, width - _NAME_CELLS)
    return Content.assemble(
        (safe_text.fit(item.name, _NAME_CELLS), "$muted"),
        (safe_text.fit(item.value, room), item.style),
    )


def _wide_item(item: KeyValue, width: int) -> list[Content]:
    room = max(1, width - _NAME_CELLS)
    pieces = safe_text.wrap(safe_text.line(item.value), room)
    names = [item.name, *[""] * (len(pieces) - 1)]
    return [
        Content.assemble((safe_text.fit(name, _NAME_CELLS), "$muted"), (piece, item.style))
        for name, piece in zip(names, pieces, strict=True)
    ]
