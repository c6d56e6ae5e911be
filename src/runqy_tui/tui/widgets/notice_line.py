"""The line under the header: the most urgent notice, or that there is none."""

from __future__ import annotations

from textual.app import RenderResult
from textual.content import Content
from textual.widget import Widget

from runqy_tui.model.severity import Severity
from runqy_tui.monitor.store import ConnectionState, View
from runqy_tui.tui import safe_text
from runqy_tui.tui.notices import healthy_text, notices
from runqy_tui.tui.tables.icons import sign

_STYLES = {Severity.CRITICAL: "bold $error", Severity.WARNING: "$warning"}


class NoticeLine(Widget):
    """Shows the first of :func:`~runqy_tui.tui.notices.notices` and how many more there are."""

    DEFAULT_CSS = """
    NoticeLine { height: 1; text-wrap: nowrap; text-overflow: ellipsis; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._view = View()
        self._line = Content("")

    def show(self, view: View) -> None:
        """Show a new view; repaint if the text differs."""
        # Findings have a pane of their own, which is not shown without any.
        self.display = view.link is not ConnectionState.LIVE or not view.findings
        self._view = view
        line = _notice_text(view, max(10, self.size.width))
        if line.markup != self._line.markup:
            self._line = line
            self.refresh()

    def on_resize(self) -> None:
        """Fit the text into the new width."""
        self.show(self._view)

    def render(self) -> RenderResult:
        """Draw the line."""
        return self._line

    async def on_click(self) -> None:
        """Open the list of findings."""
        await self.run_action("screen.findings")


def _notice_text(view: View, width: int) -> Content:
    found = notices(view)
    if not found:
        return Content.assemble(" ", safe_text.content(healthy_text(view), "$muted"))
    first = found[0]
    more = f"  +{len(found) - 1} more: w " if len(found) > 1 else " "
    room = width - len(more) - 3
    return Content.assemble(
        " ",
        (f"{sign(first.severity)} ", _STYLES[first.severity]),
        safe_text.content(safe_text.fit(first.text, room), _STYLES[first.severity]),
        (more, "$muted"),
    )
