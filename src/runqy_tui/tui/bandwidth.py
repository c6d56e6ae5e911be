"""Whether the screen spares the link to the terminal, who wanted that, and what it costs."""

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
    """Low bandwidth: as the user ``wanted`` it, or, for ``None``, while the link is ``slow``.

    ``why`` is what the link is like, for people. ``apply`` is called when the mode may have
    changed.
    """

    wanted: bool | None = None
    slow: bool = False
    why: str = ""
    apply: Callable[[], None] | None = None
    _counted: tuple[int, int] = field(default=(0, 0), init=False)
    # Of the last few: a figure that changes at each refresh costs more than it tells.
    _usual: deque[float] = field(default_factory=partial(deque, maxlen=5), init=False)

    @property
    def low(self) -> bool:
        """Whether it is in force."""
        return self.slow if self.wanted is None else self.wanted

    @property
    def mark(self) -> str:
        """What the header says of it; nothing where it is not in force."""
        if not self.low:
            return ""
        return "low bandwidth" if self.wanted else f"low bandwidth: {self.why}"

    def judged(self, slow: bool, why: str) -> None:
        """Take in what the link is like now."""
        changed, self.slow, self.why = slow is not self.slow, slow, why
        if changed and self.wanted is None:
            self._applied()

    def turn(self) -> str:
        """Go from automatic to on, to off, and back; gives what to say."""
        self.wanted = _NEXT[self.wanted]
        self._applied()
        if self.wanted is None:
            return f"Low bandwidth: automatic, {f'on ({self.why})' if self.slow else 'off'} now."
        return f"Low bandwidth: {'on' if self.wanted else 'off'}."

    def _applied(self) -> None:
        if self.apply is not None:
            self.apply()

    def figures(self, presenter: Presenter | None, before: str) -> str:
        """Bytes of a refresh since the last call, and how far away the terminal is.

        As ``before`` where nothing was sent since: then nothing has to be said anew.
        """
        if presenter is None:
            return ""
        frames, amount = presenter.frames - self._counted[0], presenter.bytes - self._counted[1]
        self._counted = presenter.frames, presenter.bytes
        if frames <= 0:  # fewer: it is a new presenter
            return before
        self._usual.append(amount / frames)
        said = [f"{_rounded(median(self._usual))} B/refresh"]
        if presenter.link is not None and (delay := presenter.link.delay_s) is not None:
            said.append(f"link {_rounded(delay * 1_000)} ms")
        return " · ".join(said)


def _rounded(figure: float) -> str:
    """Two digits: the others are different each time."""
    return f"{float(f'{figure:.2g}'):,.0f}"
