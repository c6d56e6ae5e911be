"""Base of the windows about one object of a list: worker, queue or task."""

from __future__ import annotations

from collections.abc import Hashable
from typing import ClassVar

from textual.binding import Binding, BindingType

from runqy_tui.tui.input.global_bindings import hidden_binding
from runqy_tui.tui.screens.tabbed_modal import TabbedModal
from runqy_tui.tui.session import Session, Step


class ObjectModal(TabbedModal):
    """Shows one object; ``n`` and ``N`` switch to its neighbours in the list behind.

    Args:
        session: shared by all screens.
        step: moves the selection of that list; ``None`` where there is no list.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "n",
            "step(1)",
            "next",
            id="modal.next",
            key_display="n/N",
            tooltip="Next object in the list",
        ),
        hidden_binding("N", "step(-1)", "Previous object in the list", "modal.previous"),
    ]

    def __init__(self, session: Session, step: Step | None = None) -> None:
        super().__init__(session)
        self._step = step

    def retarget(self, key: Hashable) -> None:
        """Switch to another object of the same kind, by its key in the list behind."""
        raise NotImplementedError

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Hide the stepping keys where there is no list to step through."""
        if action == "step" and self._step is None:
            return False
        return super().check_action(action, parameters)

    def action_step(self, delta: int) -> None:
        """Show the next (1) or previous (-1) object of the list behind."""
        key = self._step(delta) if self._step is not None else None
        if key is None:
            return
        self.retarget(key)
        self.show_title()
        self.start_loading()
