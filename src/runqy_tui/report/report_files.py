"""Writing a report: two new files side by side, never over others."""

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
    """A name that is free in the folder: ``runqy-report-20261124T031200Z.md``.

    Raises:
        CannotCreateError: a thousand reports of this second are there already.
    """
    stem = time.strftime("runqy-report-%Y%m%dT%H%M%SZ", time.gmtime(now))
    for attempt in range(1, _MOST_TRIES):
        path = folder / (f"{stem}.md" if attempt == 1 else f"{stem}-{attempt}.md")
        if not (os.path.lexists(path) or os.path.lexists(path.with_suffix(".json"))):
            return path
    raise CannotCreateError(f"Too many files named {stem}* in {folder}.")


def check_path(path: Path) -> None:
    """See early whether both files can be made: a watch may take long.

    Raises:
        CannotCreateError: they cannot, as far as can be told without trying.
    """
    for each in (path, path.with_suffix(".json")):
        if os.path.lexists(each):
            raise CannotCreateError(f"{each} exists already, and no file is overwritten.")
    if not path.parent.is_dir():
        raise CannotCreateError(f"{path} cannot be written: there is no folder {path.parent}.")
    if not os.access(path.parent, os.W_OK):
        raise CannotCreateError(f"{path} cannot be written: no permission in {path.parent}.")


def write_report(report: Report, path: Path) -> tuple[Path, Path]:
    """Write the Markdown to ``path`` and the JSON beside it, readable by their owner only.

    Raises:
        CannotCreateError: a file exists or cannot be written; none of the two is left behind.
    """
    beside = path.with_suffix(".json")
    texts = {
        path: to_markdown(report),
        beside: json.dumps(to_object(report), indent=2, allow_nan=False) + "\n",
    }
    made: list[Path] = []
    for each, text in texts.items():
        try:
            _create(each, text, made)
        except OSError as error:
            for left in made:
                left.unlink(missing_ok=True)
            raise CannotCreateError(f"{each} cannot be written: {error.strerror}.") from None
    return path, beside


def _create(path: Path, text: str, made: list[Path]) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    made.append(path)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
