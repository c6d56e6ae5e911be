"""The section of error groups: what fails, how often, and one task of each to look at."""

from __future__ import annotations

from runqy_tui.diagnosis.signatures import ErrorGroup, ErrorSurvey
from runqy_tui.report.escape import block, code, prose, queue, table
from runqy_tui.report.model import Example, Kept, Report
from runqy_tui.text.humanize import UNKNOWN, clock, percent, size

MOST_GROUPS = 30
_MOST_QUEUES = 3


def errors_section(report: Report) -> list[str]:
    """A table of the groups, then an example of each of the largest."""
    survey = report.survey
    if survey is None:
        return []
    lines = ["## Errors", "", *(f"- {text}" for text in _about(survey))]
    if not survey.groups:
        return lines
    head = ["", "tasks", "share", "first", "last", "queues", "error", "raised in"]
    now = survey.taken_at
    rows = [_row(number, group, now) for number, group in enumerate(survey.groups[:MOST_GROUPS], 1)]
    lines += ["", *table(head, rows, frozenset({0, 1, 2}))]
    if len(survey.groups) > MOST_GROUPS:
        lines += ["", f"{len(survey.groups) - MOST_GROUPS:,} smaller groups are in the JSON."]
    pairs = zip(survey.groups, report.examples, strict=False)
    for number, (group, example) in enumerate(pairs, 1):
        lines += ["", *_example(number, group, example, now)]
    return lines


def _about(survey: ErrorSurvey) -> list[str]:
    """What the counts rest on, and what they cannot show."""
    if survey.sampled:
        said = (
            f"A sample: {survey.sample:,} of {survey.total:,} failed tasks that Redis keeps were "
            "read, the newest of each queue. The true numbers are higher."
        )
    else:
        said = f"All {survey.sample:,} failed tasks that Redis keeps were read."
    lines = [said] if survey.sample or survey.total else ["Redis keeps no failed task."]
    if survey.untold:
        lines.append(
            f"{survey.untold:,} of them have no error text: runqy records none on a retry."
        )
    if survey.gone:
        lines.append(f"{survey.gone:,} of them are listed, but their data is gone.")
    if survey.unstored:
        names = ", ".join(f"{queue(key)} ({count:,})" for key, count in survey.unstored[:20])
        more = len(survey.unstored) - 20
        lines.append(
            "Failed without a trace, by their lifetime counters (storage is off, or the entries "
            f"expired): {names}" + (f" and {more:,} more" if more > 0 else "")
        )
    if survey.left_out:
        names = ", ".join(queue(key) for key in survey.left_out[:20])
        lines.append(f"Not read: {len(survey.left_out):,} queues with failed tasks, {names}")
    return lines


def _row(number: int, group: ErrorGroup, now: float) -> list[str]:
    queues = [f"{queue(key)} {count:,}" for key, count in group.queues[:_MOST_QUEUES]]
    if len(group.queues) > _MOST_QUEUES:
        queues.append(f"and {len(group.queues) - _MOST_QUEUES} more")
    return [
        str(number),
        f"{group.count:,}" + ("+" if group.sampled else ""),
        percent(100 * group.share),
        clock(group.first_at, now),
        clock(group.last_at, now),
        ", ".join(queues),
        prose(group.headline),
        UNKNOWN if group.signature.frame is None else code(group.signature.frame),
    ]


def _example(number: int, group: ErrorGroup, example: Example, now: float) -> list[str]:
    when = "" if example.at is None else f", failed {clock(example.at, now)} UTC"
    lines = [
        f"### Error {number}: {prose(group.headline)}",
        "",
        f"For example task {code(example.task_id)} in queue {queue(example.queue)} "
        f"({example.state}{when}):",
        "",
        *block(example.error),
    ]
    for name, kept in (("payload", example.payload), ("result", example.result)):
        if kept is not None:
            lines += ["", f"Its {name} ({_size(kept)}):", "", *block(kept.text)]
    return lines


def _size(kept: Kept) -> str:
    parts = [size(kept.size)]
    if kept.binary:
        parts.append("binary")
    if kept.cut:
        parts.append("its beginning")
    return ", ".join(parts)
