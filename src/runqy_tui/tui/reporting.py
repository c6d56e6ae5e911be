"""The incident report from within the app: what the monitor saw so far, written to files."""

from __future__ import annotations

from pathlib import Path
from time import time

from runqy_tui.diagnosis.diagnoser import Triage
from runqy_tui.model.reader_protocol import Reader
from runqy_tui.report import default_path, make_report, write_report
from runqy_tui.tui.polllog import PollLog


async def report_to(
    folder: Path, reader: Reader, triage: Triage, log: PollLog
) -> tuple[Path, Path] | None:
    """Write a report into a folder; ``None`` where nothing is known yet.

    Raises:
        CannotCreateError: the files cannot be made.
    """
    if log.diagnosis is None:
        return None
    report = await make_report(reader, log.diagnosis, triage.history, watch=log.watch())
    return write_report(report, default_path(folder, time()))
