"""Signs that go with every colour, and what replaces them where the terminal has no UTF-8."""

from __future__ import annotations

import locale
from collections.abc import Mapping

from runqy_tui.model import WorkerState
from runqy_tui.model.severity import Severity

_UNICODE: Mapping[Severity, str] = {
    Severity.IDLE: "○",
    Severity.FINE: "●",
    Severity.BUSY: "●",
    Severity.WARNING: "!",
    Severity.CRITICAL: "✖",
}
_ASCII: Mapping[Severity, str] = {
    Severity.IDLE: "o",
    Severity.FINE: "*",
    Severity.BUSY: "*",
    Severity.WARNING: "!",
    Severity.CRITICAL: "X",
}


def sign(severity: Severity) -> str:
    """The sign of a severity."""
    return (_UNICODE if _utf8() else _ASCII)[severity]


def worker_sign(state: WorkerState, severity: Severity) -> str:
    """The sign of a worker: lost ones show a question mark once they are old news."""
    if state is WorkerState.LOST and severity is not Severity.CRITICAL:
        return "?"
    return sign(severity)


def _utf8() -> bool:
    return locale.getpreferredencoding(False).replace("-", "").lower() == "utf8"
