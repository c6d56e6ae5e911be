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


def is_readable(update: object) -> bool:
    """Whether :func:`apply_update` can read an update."""
    return isinstance(update, LayoutUpdate | ChopsUpdate)


def apply_update(update: object, frame: CellFrame, style_encoder: StyleEncoder) -> None:
    """Write the strips of a compositor update into a frame."""
    if isinstance(update, LayoutUpdate):
        _draw_layout(update, frame, style_encoder)
    elif isinstance(update, ChopsUpdate):
        _draw_chops(update, frame, style_encoder)


def _draw_layout(update: LayoutUpdate, frame: CellFrame, style_encoder: StyleEncoder) -> None:
    for y, line in enumerate(update.strips, update.region.y):
        x = update.region.x
        for strip in line:
            frame.put(y, x, strip, style_encoder)
            x += strip.cell_length


def _draw_chops(update: ChopsUpdate, frame: CellFrame, style_encoder: StyleEncoder) -> None:
    for y, x1, x2 in update.spans:
        for end, (x, strip) in zip(update.chop_ends[y], update.chops[y].items(), strict=False):
            if strip is None or x > x2 or end <= x1:
                continue
            if x < x1 or end > x2:
                # Only the span: the rest of the strip is on the screen already.
                strip = strip.crop(0, min(end, x2) - x)  # noqa: PLW2901
            frame.put(y, x, strip, style_encoder)


_ONE_PACKET = 1_200
"""Bytes of one packet: a shorter frame is shown at once without synchronisation brackets."""
_SYNC_START, _SYNC_END = "\x1b[?2026h", "\x1b[?2026l"


class Presenter:
    """Holds the current frame, and sends it as soon as the link has room.

    A frame is encoded only when all output before it has been written and, on a link that is known
    to be thin, has nearly been drawn. So a slow link gets few frames, each encoded against what the
    terminal shows, and a stalled link gets a single frame once it continues.

    ``frames`` and ``bytes`` count what was sent, ``dropped`` the frames that a later one replaced.

    Args:
        colours: the terminal's colour system; ``None`` draws without colour.
        to_bytes: encodes text in the terminal's encoding.
        link: measures the terminal; ``None`` sends no queries.
        erases_with_colour: see :class:`~runqy_tui.tui.renderer.encoder.Encoder`.
    """

    def __init__(
        self,
        writer: TerminalWriter,
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
        self.writer = writer
        self.link = link
        self.link_quality = LinkQuality(link or TerminalLink())
        self.link_quality_changed: Callable[[], None] | None = None
        if link is not None:
            link.on_answer = self._link_answered
        self._to_bytes = to_bytes
        self._style_encoder = StyleEncoder(colours)
        self._encoder = Encoder(erases_with_colour=erases_with_colour)
        self._frame = CellFrame(0, 0)
        self._cursor: tuple[int, int] | None = None
        self._frame_waits = False

    def invalidate(self) -> None:
        """Have the next frame sent whole: the terminal may show anything."""
        self._encoder.invalidate()

    def apply_update(self, update: object, width: int, height: int) -> None:
        """Write a compositor update into the frame, which has ``width`` × ``height`` cells."""
        if (self._frame.width, self._frame.height) != (width, height):
            self._frame = CellFrame(width, height)
        apply_update(update, self._frame, self._style_encoder)

    def present(self, cursor: tuple[int, int] | None = None) -> None:
        """Send the frame, now or as soon as the link has room.

        ``cursor`` is the row and column at which to leave the terminal's cursor.
        """
        if not self._frame.height:
            return
        self._cursor = cursor
        if self.writer.backlog:
            self.dropped += self._frame_waits
            self._frame_waits = True
            self.writer.call_when_drained(self._catch_up)
        elif self.link is not None and self.link.is_congested:
            self.dropped += self._frame_waits
            self._frame_waits = True
        else:
            self._send()
        self.update_link_quality()

    def _link_answered(self) -> None:
        if not self.writer.backlog:
            self._catch_up()
        self.update_link_quality()

    def update_link_quality(self) -> None:
        """Classify the link; call :attr:`link_quality_changed` if the result is another one."""
        if (
            self.link_quality.update(self.writer.blocked_s)
            and self.link_quality_changed is not None
        ):
            self.link_quality_changed()

    def _catch_up(self) -> None:
        if self._frame_waits:
            self._send()

    def _send(self) -> None:
        self._frame_waits = False
        text = self._encoder.encode(self._frame)
        if self._cursor is not None:
            text += self._encoder.park_cursor(*self._cursor)
        if not text:
            return
        if self.synchronised and len(text) > _ONE_PACKET:
            text = f"{_SYNC_START}{text}{_SYNC_END}"
        data = self._to_bytes(text)
        self.frames += 1
        self.bytes += len(data)
        if self.link is not None and self.link.start_query(len(data)):
            data += self._to_bytes(QUERY)
        self.writer.write(data)
