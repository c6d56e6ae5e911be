"""Measures the link to the terminal by a query sent behind frames, and classifies it as slow."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from statistics import median
from time import monotonic

QUERY = "\x1b[6n"
"""Where is the cursor? Answered as ``CSI row ; column R``, which Textual takes for no key.

``CSI 5 n`` would say less, but Textual's parser knows no ``CSI 0 n``: it waits for the rest of it,
and then takes its letters for keys.
"""

_SHORT = 1_200
"""Bytes that are on their way at once. What is more is asked after, and measures the rate."""
_PAUSE_S = 1.0
"""After so long without output, what was written before no longer delays what comes next."""
_THIN, _AHEAD = 8_000, 1_500
"""Bytes a second of a link whose buffers hold seconds of output, and how many bytes are sent ahead
of the terminal there. Fewer, one frame, would leave the link idle for a round trip each time."""
_LONGEST_HOLD_S = 3.0
_KEPT = 3
_EVERY_S = 10.0
_GIVEN_UP_S = 20.0
"""An answer that took longer than this does not come any more."""
_MOST_VAIN = 2
"""Questions without an answer, from a terminal that never gave one, before it is left alone."""
_LONGEST_WAIT_S = 2.0


class TerminalLink:
    """Asks at most one question at a time, and only behind a frame that is sent anyway.

    So a screen that does not change sends nothing, and what is measured is what an operator
    waits for: the time until the terminal has drawn the frame, and until one can know it. A
    multiplexer answers by itself: behind it nothing can be measured.

    A thin link has buffers that hold seconds of output, which is old when it comes out: so,
    once the rate is known, frames are held while too much is on its way.
    """

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._settled = threading.Event()
        self.when_answered: Callable[[], None] | None = None
        self.reset()

    def reset(self) -> None:
        """Forget everything: the terminal may be another one."""
        self.latest_s: float | None = None
        self.answers = 0
        self._vain = 0
        self._asked: tuple[float, int] | None = None
        self._last = float("-inf")
        self._short: deque[float] = deque(maxlen=_KEPT)
        self._rates: deque[float] = deque(maxlen=_KEPT)
        self._unasked = 0
        self._sent_at = float("-inf")
        self._settled.set()

    @property
    def delay_s(self) -> float | None:
        """Seconds until a short frame is acknowledged, the median of the last few."""
        return median(self._short) if self._short else None

    @property
    def sure(self) -> bool:
        """Whether :attr:`delay_s` stands on as many answers as are kept."""
        return len(self._short) == _KEPT

    @property
    def open_s(self) -> float:
        """Seconds that a terminal which does answer has owed the last answer."""
        if self._asked is None or not self.answers:
            return 0.0
        return self._clock() - self._asked[0]

    @property
    def holds(self) -> bool:
        """Whether too much is on its way: the next frame had better wait for an answer."""
        if self._asked is None or len(self._rates) < _KEPT or median(self._rates) >= _THIN:
            return False
        asked, size = self._asked
        return size + self._unasked >= _AHEAD and self._clock() - asked < _LONGEST_HOLD_S

    def ask(self, size: int) -> bool:
        """Whether to send :data:`QUERY` behind a frame of ``size`` bytes; it counts as sent."""
        now = self._clock()
        if self._asked is None and now - self._sent_at > _PAUSE_S:
            self._unasked = 0
        self._unasked += size
        self._sent_at = now
        if self._asked is not None:
            if now - self._asked[0] < _GIVEN_UP_S:
                return False
            self._vain += 1
        known = self.sure and now - self._last < _EVERY_S and self._unasked < _SHORT
        if known or (not self.answers and self._vain >= _MOST_VAIN):
            return False
        self._asked = (now, self._unasked)
        self._unasked = 0
        self._last = now
        self._settled.clear()
        return True

    def heard(self) -> float:
        """An answer has come, in any thread; gives the time for :meth:`answered`."""
        self._settled.set()
        return self._clock()

    def answered(self, at: float) -> None:
        """Count an answer that was heard at a time."""
        if self._asked is None:
            return
        asked, size = self._asked
        self._asked = None
        self._vain = 0
        self.answers += 1
        self.latest_s = max(0.0, at - asked)
        if size <= _SHORT:
            self._short.append(self.latest_s)
        else:
            under_way = self.latest_s - min(self._short, default=0.0)
            self._rates.append(size / max(under_way, 0.001))
        if self.when_answered is not None:
            self.when_answered()

    def settle(self) -> None:
        """Wait a little for an answer that is due: after the end, a shell would be typed it.

        Not for the first answer, which may never come.
        """
        if self.answers:
            usual = self.latest_s or 0.0
            self._settled.wait(min(_LONGEST_WAIT_S, 0.1 + 2 * usual))


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
