"""Writing a report: two new files side by side; existing files are never overwritten."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

from runqy_tui.model.errors import CannotCreateError
from runqy_tui.report.markdown import to_markdown
from runqy_tui.report.report_json import to_object
from runqy_tui.report.report_model import Report

_MOST_TRIES = 1_000


def default_path(folder: Path, now: float) -> Path:
    """Return an unused file name in the folder, as ``runqy-report-20261124T031200Z.md``.

    ``now`` is in unix seconds.

    Raises:
        CannotCreateError: there are a thousand reports of this second already.
    """
    stem = time.strftime("runqy-report-%Y%m%dT%H%M%SZ", time.gmtime(now))
    for attempt in range(1, _MOST_TRIES):
        path = folder / (f"{stem}.md" if attempt == 1 else f"{stem}-{attempt}.md")
        if not (os.path.lexists(path) or os.path.lexists(path.with_suffix(".json"))):
            return path
    raise CannotCreateError(f"Too many files named {stem}* in {folder}.")


def check_path(path: Path) -> None:
    """Check before a long observation whether both files can probably be created.

    Raises:
        CannotCreateError: a file exists, or the folder is missing or not writable.
    """
    for each in (path, path.with_suffix(".json")):
        if os.path.lexists(each):
            raise CannotCreateError(f"{each} exists; not overwritten.")
    if not path.parent.is_dir():
        raise CannotCreateError(f"{path} cannot be written: {path.parent} does not exist.")
    if not os.access(path.parent, os.W_OK):
        raise CannotCreateError(f"{path} cannot be written: no permission in {path.parent}.")


def write_report(report: Report, path: Path) -> tuple[Path, Path]:
    """Write the Markdown to ``path`` and the JSON beside it, readable by their owner only.

    Returns both paths.

    Raises:
        CannotCreateError: a file exists or cannot be written; neither of the two is left behind.
    """
    beside = path.with_suffix(".json")
    texts = {
        path: to_markdown(report),
        beside: json.dumps(to_object(report), indent=2, allow_nan=False) + "\n",
    }
    created: list[Path] = []
    for each, text in texts.items():
        try:
            _create(each, text, created)
        except OSError as error:
            for partial in created:
                partial.unlink(missing_ok=True)
            raise CannotCreateError(f"{each} cannot be written: {error.strerror}.") from None
    return path, beside


def _create(path: Path, text: str, created: list[Path]) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    created.append(path)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
