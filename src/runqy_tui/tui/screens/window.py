"""What all windows above the main screen have in common."""

from __future__ import annotations

from rich.console import RenderableType
from textual.renderables.background_screen import BackgroundScreen
from textual.screen import ModalScreen

from runqy_tui.tui.screens.settled import Settled


class Window(Settled, ModalScreen[None]):
    """A window above the screen it was opened from, which shows through its margins."""

    def render(self) -> RenderableType:
        """Draw what lies below, by the order in which the windows were opened.

        Textual takes it from a list that shrinks with every screen it draws. One that is still
        drawn from before takes none, and those below it take a wrong one: with four windows, two
        drew each other without end.
        """
        stack, background = self.app.screen_stack, self.styles.background
        if self not in stack[1:] or background.a == 1:
            return super().render()
        return BackgroundScreen(stack[stack.index(self) - 1], background)
