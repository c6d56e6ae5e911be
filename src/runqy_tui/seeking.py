"""The words of a search, for every front end."""

from __future__ import annotations

from runqy_tui.model.seeking import Progress
from runqy_tui.text.humanize import amount


def smart_case(text: str) -> bool:
    """Whether to ignore case: as long as nobody has typed a capital."""
    return not any("A" <= sign <= "Z" for sign in text)


def summary(progress: Progress, *, stopped: bool = False) -> str:
    """The outcome in one line: ``12 hits in 1,000,000 tasks, 3.1 s; 2 tasks only …``."""
    looked = amount(progress.looked, "task")
    if progress.full or stopped:
        looked = f"{progress.looked:,} of {amount(progress.total, 'task')}"
    words = [f"{amount(progress.found, 'hit')} in {looked}, {progress.elapsed_s:.1f} s"]
    if progress.full:
        words.append("stopped there: look for more of it, or in fewer places")
    elif stopped:
        words.append("stopped by you")
    if progress.partly:
        words.append(f"{amount(progress.partly, 'task')} only looked at in part")
    return "; ".join([*words, *progress.notes])
