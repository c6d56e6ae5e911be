"""Label values: safe text, bounded in length, and never the same for two objects."""

from __future__ import annotations

from hashlib import sha256

from runqy_tui.model import QueueKey
from runqy_tui.text.safe import encode, safe_line

LONGEST = 128
"""Characters of a label value before it is cut."""


def label(text: str) -> str:
    """The text itself where it is harmless.

    Else pictures in place of its control characters, cut where it is long, and a digest of the
    raw bytes behind it: two names that look the same stay two series, and poll after poll each
    keeps its own.
    """
    safe = safe_line(text)
    if safe == text and len(text) <= LONGEST:
        return text
    digest = sha256(encode(text)).hexdigest()[:8]
    return f"{safe[:LONGEST]}~{digest}"


def queue_label(queue: QueueKey) -> str:
    """Name of a queue; a list without braces is another queue than the one of the same name."""
    return label(queue.name) if queue.braced else f"{label(queue.name)} (no braces)"
