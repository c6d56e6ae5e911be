"""Puts Textual's updates into a frame and sends what differs; a slow link skips frames.

Textual's compositor describes a refresh as one of two updates: a ``LayoutUpdate`` holds every line
of a region, a ``ChopsUpdate`` holds spans of lines.
"""

from __future__ import annotations

from collections.abc import Callable

from rich.color import ColorSystem

from runqy_tui.tui.compat.private_names import ChopsUpdate, LayoutUpdate
from runqy_tui.tui.renderer.cell_frame import CellFrame
from runqy_tui.tui.renderer.encoder import Encoder
from runqy_tui.tui.renderer.style_encoder import StyleEncoder
from runqy_tui.tui.renderer.terminal_link import QUERY, LinkQuality, TerminalLink
from runqy_tui.tui.renderer.writer import TerminalWriter


def understood(update: object) -> bool:
    """Whether :func:`take` can read an update."""
    return isinstance(update, LayoutUpdate | ChopsUpdate)


def take(update: object, frame: CellFrame, pens: StyleEncoder) -> None:
    """Put an update into a frame."""
    if isinstance(update, LayoutUpdate):
        _take_layout(update, frame, pens)
    elif isinstance(update, ChopsUpdate):
        _take_chops(update, frame, pens)


def _take_layout(update: LayoutUpdate, frame: CellFrame, pens: StyleEncoder) -> None:
    for y, line in enumerate(update.strips, update.region.y):
        x = update.region.x
        for strip in line:
            frame.put(y, x, strip, pens)
            x += strip.cell_length


def _take_chops(update: ChopsUpdate, frame: CellFrame, pens: StyleEncoder) -> None:
    for y, x1, x2 in update.spans:
        for end, (x, strip) in zip(update.chop_ends[y], update.chops[y].items(), strict=False):
            if strip is None or x > x2 or end <= x1:
                continue
            if x < x1 or end > x2:
                # The whole chop is known: what of it lies beside the span is the same anyway.
                strip = strip.crop(0, min(end, x2) - x)  # noqa: PLW2901
            frame.put(y, x, strip, pens)


_ONE_PACKET = 1_200
"""Bytes that travel together: a shorter frame needs no brackets to be shown at once."""
_SYNC_START, _SYNC_END = "\x1b[?2026h", "\x1b[?2026l"


class Presenter:
    """One frame, one encoder, one outlet.

    A frame is encoded only when everything before it has been taken, and, on a link that is
    known to be thin, has nearly been drawn: a slow link gets few frames, each against what it
    really shows, and a stalled one gets one when it is back.

    Args:
        colours: the terminal's colour system.
        to_bytes: how text becomes bytes in the terminal's encoding.
        link: what times the terminal; a new one that asks nothing if ``None``.
        erases_with_colour: see :class:`~runqy_tui.tui.renderer.encoder.Encoder`.
    """

    def __init__(
        self,
        outlet: TerminalWriter,
        colours: ColorSystem | None,
        to_bytes: Callable[[str], bytes],
        *,
        link: TerminalLink | None = None,
        erases_with_colour: bool,
    ) -> None:
        self.synchronised = False
        self.frames = 0
        self.dropped = 0
        self.bytes = 0
        self.outlet = outlet
        self.link = link
        self.pace = LinkQuality(link or TerminalLink())
        self.pace_changed: Callable[[], None] | None = None
        if link is not None:
            link.when_answered = self._answered
        self._to_bytes = to_bytes
        self._pens = StyleEncoder(colours)
        self._encoder = Encoder(erases_with_colour=erases_with_colour)
        self._frame = CellFrame(0, 0)
        self._cursor: tuple[int, int] | None = None
        self._late = False

    def forget(self) -> None:
        """The terminal may show anything: the next frame is sent whole."""
        self._encoder.forget()

    def take(self, update: object, width: int, height: int) -> None:
        """Take in an update of the compositor."""
        if (self._frame.width, self._frame.height) != (width, height):
            self._frame = CellFrame(width, height)
        take(update, self._frame, self._pens)

    def present(self, cursor: tuple[int, int] | None = None) -> None:
        """Show the frame, now or as soon as the link is clear.

        ``cursor`` is the row and column where the terminal's own cursor is wanted.
        """
        if not self._frame.height:
            return
        self._cursor = cursor
        if self.outlet.backlog:
            self.dropped += self._late
            self._late = True
            self.outlet.when_clear(self._catch_up)
        elif self.link is not None and self.link.holds:
            self.dropped += self._late
            self._late = True
        else:
            self._send()
        self.look()

    def _answered(self) -> None:
        if not self.outlet.backlog:
            self._catch_up()
        self.look()

    def look(self) -> None:
        """Judge the link; tell whoever wants to know of a change."""
        if self.pace.look(self.outlet.waiting_s) and self.pace_changed is not None:
            self.pace_changed()

    def _catch_up(self) -> None:
        if self._late:
            self._send()

    def _send(self) -> None:
        self._late = False
        text = self._encoder.encode(self._frame)
        if self._cursor is not None:
            text += self._encoder.park(*self._cursor)
        if not text:
            return
        if self.synchronised and len(text) > _ONE_PACKET:
            text = f"{_SYNC_START}{text}{_SYNC_END}"
        data = self._to_bytes(text)
        self.frames += 1
        self.bytes += len(data)
        if self.link is not None and self.link.ask(len(data)):
            data += self._to_bytes(QUERY)
        self.outlet.write(data)
