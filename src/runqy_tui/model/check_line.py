"""What ``doctor`` finds out, line by line."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class Verdict(StrEnum):
    """``SKIP``: could not be looked at, because of what failed before."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"
    SKIP = "skip"


class CheckLine(NamedTuple):
    """One thing that was looked at: never a credential, but perhaps text of others.

    ``mend`` is what to do where it is not well; ``code`` the exit code that a failure means.
    """

    topic: str
    verdict: Verdict
    said: str
    mend: str | None = None
    code: int = 0
