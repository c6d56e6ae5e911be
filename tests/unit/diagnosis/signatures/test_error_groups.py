"""Groups of failed tasks: counts, shares, times, queues, and how much of the whole they are."""

from __future__ import annotations

import pytest

from runqy_tui.diagnosis.signatures import Failure, group
from runqy_tui.model import QueueKey, TaskRow, TaskState

A, B = QueueKey("a.x"), QueueKey("b.x")


def row(
    task_id: str,
    error: str | None,
    state: TaskState = TaskState.ARCHIVED,
    at: float | None = None,
    missing: bool = False,
) -> TaskRow:
    when = 9e9 if state is TaskState.RETRY else at
    return TaskRow(task_id, state, when=when, error=error, failed_at=at, missing=missing)


def test_nothing_gives_no_group() -> None:
    assert group([]) == ()
    assert group([(A, row("1", None)), (A, row("2", "x", missing=True))]) == ()


def test_counts_shares_times_queues_and_the_newest_as_the_example() -> None:
    first, second = group(
        [
            (B, row("1", "no model 7", at=50.0)),
            (A, row("2", "upstream 503", at=100.0)),
            (A, row("3", "upstream 502", TaskState.RETRY, at=300.0)),
            (B, row("4", "upstream 503 (will retry)", at=200.0)),
            (B, row("5", None)),
        ]
    )
    assert (first.signature.title, first.count, first.share) == ("upstream <n>", 3, 0.75)
    assert (first.first_at, first.last_at) == (100.0, 300.0)
    assert first.queues == ((A, 2), (B, 1))
    assert first.example == Failure(A, "3", TaskState.RETRY, 300.0)
    assert [task.task_id for task in first.tasks] == ["3", "4", "2"]
    assert first.example_error == "upstream 502"
    assert (second.signature.title, second.count) == ("no model <n>", 1)
    assert not first.sampled
    assert first.total == 5


def test_the_time_of_the_next_try_is_not_taken_for_a_failure() -> None:
    (only,) = group([(A, row("1", "x", TaskState.RETRY))])
    assert (only.first_at, only.last_at, only.example.at) == (None, None, None)


def test_a_sample_says_so_and_tells_the_true_total() -> None:
    rows = [(A, row("1", "x", at=1.0)), (B, row("2", "y", at=1.0))]
    by_title = {each.signature.title: each for each in group(rows, {A: 12_000, B: 1})}
    assert (by_title["x"].total, by_title["x"].sampled) == (12_000, True)
    assert (by_title["y"].total, by_title["y"].sampled) == (1, False)


@pytest.mark.parametrize(
    ("errors", "headline"),
    [
        (["task 'a' not found", "task 'a' not found"], "task 'a' not found"),
        (["task 'a' not found", "task 'b' not found"], "task '…' not found"),
    ],
)
def test_a_headline_keeps_what_all_have_in_common(errors: list[str], headline: str) -> None:
    (only,) = group([(A, row(str(n), error)) for n, error in enumerate(errors)])
    assert only.headline == headline
