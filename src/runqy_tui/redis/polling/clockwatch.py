"""Whether Redis's clock runs as time does: a clock that is set makes ages and rates senseless."""

from __future__ import annotations

import time

from runqy_tui.text.humanize import span

TOLERANCE_S = 5.0
"""What a clock may be off from one poll to the next; NTP slews by less."""

NOTICE_S = 60.0
"""For how long a jump is told: as long as rates look back."""


def uptime() -> float:
    """Seconds on a clock that nobody sets; it counts while the machine sleeps, where that can be.

    Otherwise a laptop that wakes up would take Redis's clock for one that has jumped.
    """
    boot = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if boot is None else time.clock_gettime(boot)


class ClockWatch:
    """Compares Redis's clock with the time that passed here, poll by poll.

    A reply of TIME was made at some moment between its question and its arrival: only what lies
    outside of all such moments is a jump, so that a slow network is none.
    """

    def __init__(self) -> None:
        self._last: tuple[float, float, float] | None = None
        self._jump = 0.0
        self._told = 0.0
        self._told_at: float | None = None

    def see(self, told: float | None, asked_at: float, read_at: float) -> None:
        """Take in Redis's clock, and when (by :func:`uptime`) it was asked and its answer read.

        ``None``: Redis does not tell its time; there is nothing to compare then.
        """
        last, self._last = self._last, None if told is None else (told, asked_at, read_at)
        if last is None or told is None:
            return
        before, before_asked, before_read = last
        passed = told - before
        least, most = asked_at - before_read, read_at - before_asked
        if not least - TOLERANCE_S <= passed <= most + TOLERANCE_S:
            self._jump += passed - (least + most) / 2
            self._told, self._told_at = passed - (least + most) / 2, read_at

    def take(self) -> float:
        """Seconds by which the clock jumped since the last call; 0.0 if it did not."""
        jump, self._jump = self._jump, 0.0
        return jump

    def notice(self, now: float) -> str | None:
        """What to tell of a jump of late; ``now`` by :func:`uptime`."""
        if self._told_at is None or now - self._told_at > NOTICE_S:
            return None
        way = "forward" if self._told > 0 else "back"
        far = span(round(abs(self._told)))
        return (
            f"Redis's clock went {way} by {far} between two polls: it was set, or another server "
            "answers. Ages may be wrong until workers beat again; check NTP there"
        )
