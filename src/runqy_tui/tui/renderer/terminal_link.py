"""Measures the link to the terminal by a query sent behind frames, and classifies it as slow."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from statistics import median
from time import monotonic

QUERY = "\x1b[6n"
"""Request for the cursor position (DSR 6), answered by ``CSI row ; column R``.

Textual reports the answer as an event. ``CSI 5 n`` is no alternative: Textual's parser lacks
its answer ``CSI 0 n``, and reports the letters as keys.
"""

_SHORT_FRAME = 1_200
"""Bytes of a frame that measures the delay; a longer one measures the rate."""
_PAUSE_S = 1.0
"""After this time without output, earlier output no longer delays what is sent next."""
_THIN, _AHEAD = 8_000, 1_500
"""Rate in bytes per second below which a link is thin, that is, its buffers hold seconds of output,
and the bytes that may be under way there. Fewer, a frame, would leave the link idle for a round
trip each time."""
_LONGEST_HOLD_S = 3.0
_KEPT = 3
_EVERY_S = 10.0
_GIVEN_UP_S = 20.0
"""An answer later than this is not expected any more."""
_MOST_UNANSWERED = 2
"""Queries without an answer after which a terminal that never answered gets none."""
_LONGEST_WAIT_S = 2.0


class TerminalLink:
    """Measures delay and rate of the link to the terminal by queries, one at a time.

    A query is sent only behind a frame that is sent anyway: an unchanged screen sends nothing, and
    the measured time is what an operator waits for, until the terminal has drawn the frame. A
    multiplexer answers itself: the link behind it cannot be measured.

    A thin link has buffers that hold seconds of output, which is outdated when it is drawn. So,
    once the rate is known, frames are held back while too much is under way.

    ``answers`` counts answers, ``latest_s`` is the time that the latest took, ``None`` without any.
    """

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._is_answered = threading.Event()
        self.on_answer: Callable[[], None] | None = None
        self.reset()

    def reset(self) -> None:
        """Discard all measurements: the terminal may be another one."""
        self.latest_s: float | None = None
        self.answers = 0
        self._unanswered = 0
        self._pending: tuple[float, int] | None = None
        self._last_query = float("-inf")
        self._short_delays: deque[float] = deque(maxlen=_KEPT)
        self._rates: deque[float] = deque(maxlen=_KEPT)
        self._unmeasured_bytes = 0
        self._sent_at = float("-inf")
        self._is_answered.set()

    @property
    def delay_s(self) -> float | None:
        """Seconds until a short frame is answered: median of the last few, ``None`` without any."""
        return median(self._short_delays) if self._short_delays else None

    @property
    def is_reliable(self) -> bool:
        """Whether :attr:`delay_s` is the median of enough answers."""
        return len(self._short_delays) == _KEPT

    @property
    def pending_s(self) -> float:
        """Seconds for which a query has waited for its answer; 0 if the terminal never answers."""
        if self._pending is None or not self.answers:
            return 0.0
        return self._clock() - self._pending[0]

    @property
    def is_congested(self) -> bool:
        """Whether too much is under way on a thin link, so that the next frame should wait."""
        if self._pending is None or len(self._rates) < _KEPT or median(self._rates) >= _THIN:
            return False
        asked, size = self._pending
        return size + self._unmeasured_bytes >= _AHEAD and self._clock() - asked < _LONGEST_HOLD_S

    def start_query(self, size: int) -> bool:
        """Record a frame of ``size`` bytes. Return whether to send :data:`QUERY` behind it.

        If so, the query counts as sent.
        """
        now = self._clock()
        if self._pending is None and now - self._sent_at > _PAUSE_S:
            self._unmeasured_bytes = 0
        self._unmeasured_bytes += size
        self._sent_at = now
        if self._pending is not None:
            if now - self._pending[0] < _GIVEN_UP_S:
                return False
            self._unanswered += 1
        known = (
            self.is_reliable
            and now - self._last_query < _EVERY_S
            and self._unmeasured_bytes < _SHORT_FRAME
        )
        if known or (not self.answers and self._unanswered >= _MOST_UNANSWERED):
            return False
        self._pending = (now, self._unmeasured_bytes)
        self._unmeasured_bytes = 0
        self._last_query = now
        self._is_answered.clear()
        return True

    def answer_received(self) -> float:
        """Record, from any thread, that an answer came; return when, for :meth:`record_answer`."""
        self._is_answered.set()
        return self._clock()

    def record_answer(self, at: float) -> None:
        """Evaluate an answer that arrived at ``at``, in seconds of the clock."""
        if self._pending is None:
            return
        asked, size = self._pending
        self._pending = None
        self._unanswered = 0
        self.answers += 1
        self.latest_s = max(0.0, at - asked)
        if size <= _SHORT_FRAME:
            self._short_delays.append(self.latest_s)
        else:
            under_way = self.latest_s - min(self._short_delays, default=0.0)
            self._rates.append(size / max(under_way, 0.001))
        if self.on_answer is not None:
            self.on_answer()

    def wait_for_answer(self) -> None:
        """Block, for two seconds at most, until a pending query is answered.

        After the exit the answer would be typed into the shell. The first answer is not waited
        for: there may never be one.
        """
        if self.answers:
            usual = self.latest_s or 0.0
            self._is_answered.wait(min(_LONGEST_WAIT_S, 0.1 + 2 * usual))


FAR_S, NEAR_S = 0.25, 0.15
"""Delays in seconds: from ``FAR_S`` on a link is slow, below ``NEAR_S`` it may be fast again."""
LATE_S = 1.0
"""A frame that took this long, or waited this long to be sent, makes a link slow immediately."""
CALM_S, LONGEST_CALM_S = 30.0, 480.0
"""Seconds without delay after which a link is fast again; doubled if it soon is slow once more."""
_FORGIVEN_S = 900.0


class LinkQuality:
    """Classifies a link as slow or fast, with hysteresis.

    ``slow`` is the result and ``why`` the reason, as text for the header; :meth:`update` sets both.
    """

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

    def update(self, blocked_s: float) -> bool:
        """Classify the link now; return whether ``slow`` or ``why`` has changed.

        Args:
            blocked_s: seconds for which output has been waiting to be sent.
        """
        now = self._clock()
        reason = self._reason(blocked_s)
        before = self.why
        if reason:
            self._fine_since = None
            self.why = reason
            if not self.slow:
                again = now - self._fast_since < _FORGIVEN_S
                self._calm_s = min(LONGEST_CALM_S, self._calm_s * 2) if again else CALM_S
                self.slow = True
        elif self.slow and self._is_fine(blocked_s):
            if self._fine_since is None:
                self._fine_since, self._proven = now, self._link.answers
            # Without an answer since then nothing is known, unless the terminal never answers.
            known = self._link.answers > self._proven or not self._link.answers
            if known and now - self._fine_since >= self._calm_s:
                self.slow, self.why, self._fast_since = False, "", now
        elif self.slow:
            self._fine_since = None
        return self.why != before

    def _reason(self, blocked_s: float) -> str:
        link = self._link
        late = max(blocked_s, link.pending_s)
        if link.answers > self._answers:
            self._answers = link.answers
            late = max(late, link.latest_s or 0.0)
        if late >= LATE_S:
            return f"output delayed {late:.1f} s"
        if link.is_reliable and link.delay_s is not None and link.delay_s >= FAR_S:
            return f"{round(link.delay_s * 20) * 50} ms delay"
        return ""

    def _is_fine(self, blocked_s: float) -> bool:
        near = self._link.delay_s is None or self._link.delay_s < NEAR_S
        return near and not blocked_s and self._link.pending_s < LATE_S / 2
