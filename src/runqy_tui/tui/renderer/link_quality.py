"""Whether the link to the terminal is slow, judged so that the judgement does not flutter."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic

from runqy_tui.tui.renderer.terminal_link import TerminalLink

FAR_S, NEAR_S = 0.25, 0.15
"""A delay from which on a link is slow, and one below which it may be fast again, in seconds."""
LATE_S = 1.0
"""A frame that took this long, or waited this long to be sent, makes a link slow at once."""
CALM_S, LONGEST_CALM_S = 30.0, 480.0
"""How long a link must be fine to be fast again: doubled each time it was wrong to believe it."""
_FORGIVEN_S = 900.0


class LinkQuality:
    """``slow`` and, for people, ``why``. :meth:`look` brings them up to date."""

    def __init__(self, link: TerminalLink, clock: Callable[[], float] = monotonic) -> None:
        self.slow = False
        self.why = ""
        self._link = link
        self._clock = clock
        self._calm_s = CALM_S
        self._fine_since: float | None = None
        self._fast_since = float("-inf")
        self._answers = 0
        self._proven = 0

    def look(self, waiting_s: float) -> bool:
        """Judge anew; gives whether ``slow`` or ``why`` has changed.

        Args:
            waiting_s: how long the oldest output has been waiting to be sent, in seconds.
        """
        now = self._clock()
        reason = self._reason(waiting_s)
        before = self.why
        if reason:
            self._fine_since = None
            self.why = reason
            if not self.slow:
                again = now - self._fast_since < _FORGIVEN_S
                self._calm_s = min(LONGEST_CALM_S, self._calm_s * 2) if again else CALM_S
                self.slow = True
        elif self.slow and self._is_fine(waiting_s):
            if self._fine_since is None:
                self._fine_since, self._proven = now, self._link.answers
            # Without an answer since then nothing is known, unless there never was one.
            known = self._link.answers > self._proven or not self._link.answers
            if known and now - self._fine_since >= self._calm_s:
                self.slow, self.why, self._fast_since = False, "", now
        elif self.slow:
            self._fine_since = None
        return self.why != before

    def _reason(self, waiting_s: float) -> str:
        link = self._link
        late = max(waiting_s, link.open_s)
        if link.answers > self._answers:
            self._answers = link.answers
            late = max(late, link.latest_s or 0.0)
        if late >= LATE_S:
            return f"output takes {late:.1f} s"
        if link.sure and link.delay_s is not None and link.delay_s >= FAR_S:
            return f"{round(link.delay_s * 20) * 50} ms away"
        return ""

    def _is_fine(self, waiting_s: float) -> bool:
        near = self._link.delay_s is None or self._link.delay_s < NEAR_S
        return near and not waiting_s and self._link.open_s < LATE_S / 2
