"""The low-bandwidth mode: whether it is on and why, and what a refresh costs."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from statistics import median

from runqy_tui.tui.renderer.presenter import Presenter

_NEXT: dict[bool | None, bool | None] = {None: True, True: False, False: None}


@dataclass(slots=True)
class LowBandwidth:
    """The mode as the user ``wanted`` it, or, for ``None`` (auto), on while the link is ``slow``.

    ``why`` describes the link, for people. ``apply`` is called when the mode may have changed.
    """

    wanted: bool | None = None
    slow: bool = False
    why: str = ""
    apply: Callable[[], None] | None = None
    _counted: tuple[int, int] = field(default=(0, 0), init=False)
    # The median of five: a figure that changes with each refresh would cost bytes itself.
    _recent: deque[float] = field(default_factory=partial(deque, maxlen=5), init=False)

    @property
    def low(self) -> bool:
        """Whether the mode is on."""
        return self.slow if self.wanted is None else self.wanted

    @property
    def mark(self) -> str:
        """Text for the header; empty while the mode is off."""
        if not self.low:
            return ""
        return "low bandwidth" if self.wanted else f"low bandwidth: {self.why}"

    def update_link(self, slow: bool, why: str) -> None:
        """Update what is known of the link."""
        changed, self.slow, self.why = slow is not self.slow, slow, why
        if changed and self.wanted is None:
            self._notify_apply()

    def cycle(self) -> str:
        """Switch from auto to on, to off, and back; return the text to show."""
        self.wanted = _NEXT[self.wanted]
        self._notify_apply()
        if self.wanted is None:
            return f"Low-bandwidth mode: auto (now {f'on: {self.why}' if self.slow else 'off'})."
        return f"Low-bandwidth mode: {'on' if self.wanted else 'off'}."

    def _notify_apply(self) -> None:
        if self.apply is not None:
            self.apply()

    def figures(self, presenter: Presenter | None, before: str) -> str:
        """Return bytes per refresh since the last call, and the latency of the terminal.

        Returns ``before`` if nothing was sent since then.
        """
        if presenter is None:
            return ""
        frames, amount = presenter.frames - self._counted[0], presenter.bytes - self._counted[1]
        self._counted = presenter.frames, presenter.bytes
        if frames <= 0:  # negative: it is a new presenter
            return before
        self._recent.append(amount / frames)
        parts = [f"{_rounded(median(self._recent))} B/refresh"]
        if presenter.link is not None and (delay := presenter.link.delay_s) is not None:
            parts.append(f"link {_rounded(delay * 1_000)} ms")
        return " · ".join(parts)


def _rounded(figure: float) -> str:
    """Return the figure with two significant digits, so that it seldom changes."""
    return f"{float(f'{figure:.2g}'):,.0f}"
