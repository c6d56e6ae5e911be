"""The results of ``doctor``, line by line."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class Verdict(StrEnum):
    """The result of one check. ``SKIP``: not checked, because an earlier check failed."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"
    SKIP = "skip"


class CheckLine(NamedTuple):
    """The result of one check. It holds no credential, but may hold untrusted text.

    ``remedy`` is the next step if the result is not OK, ``code`` the exit code of a failure.
    """

    topic: str
    verdict: Verdict
    text: str
    remedy: str | None = None
    code: int = 0
