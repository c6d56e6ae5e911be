"""Counters that never go back, and label values that never collide."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runqy_tui.exporter import scrape_state
from runqy_tui.exporter.metric_families import label, queue_label
from runqy_tui.exporter.scrape_state import MonotonicCounters, QueueTotals
from runqy_tui.exporter.web_server import ListenAddress, parse_listen
from runqy_tui.model import Dialect, Queue, QueueKey
from runqy_tui.model.errors import UsageError
from tests.support.builders import queue


def runqy(processed: int | None, failed: int | None = 0) -> Queue:
    return queue("q", processed_total=processed, succeeded_total=processed, failed_total=failed)


def asynq(processed: int, failed: int) -> Queue:
    return queue(
        "q",
        dialect=Dialect.ASYNQ,
        processed_total=processed,
        succeeded_total=processed - failed,
        failed_total=failed,
    )


def unsure(processed: int, failed: int) -> Queue:
    return queue("q", dialect=None, processed_total=processed, failed_total=failed)


def course(*polls: Queue) -> list[tuple[float | None, float | None]]:
    book = MonotonicCounters()
    totals = [book.update([one])[QueueKey("q")] for one in polls]
    return [(total.processed, total.failed) for total in totals]


def test_the_first_value_is_that_of_redis() -> None:
    assert course(runqy(1200, 7)) == [(1200, 7)]
    assert course(asynq(1200, 200)) == [(1000, 200)]


def test_a_fall_counts_from_zero_anew() -> None:
    assert course(runqy(100, 10), runqy(110, 11), runqy(4, 0), runqy(6, 2)) == [
        (100, 10),
        (110, 11),
        (114, 11),
        (116, 13),
    ]


def test_successes_of_asynq_never_dip() -> None:
    """``failed`` was read a moment after ``processed``."""
    seen = course(asynq(100, 10), asynq(100, 12), asynq(103, 12), asynq(5, 1))
    assert seen == [(90, 10), (90, 12), (91, 12), (95, 13)]


def test_unknown_is_absent_and_what_happened_meanwhile_is_added() -> None:
    seen = course(runqy(100, 10), unsure(150, 12), runqy(160, 15), runqy(None, None))
    assert seen == [(100, 10), (None, 12), (160, 15), (None, None)]
    assert course(unsure(1000, 100), asynq(1010, 100)) == [(None, 100), (910, 100)]


def test_a_queue_that_comes_back_goes_on() -> None:
    book = MonotonicCounters()
    book.update([runqy(100)])
    assert book.update([]) == {}
    assert book.update([runqy(3)]) == {QueueKey("q"): QueueTotals(103.0, 0.0)}


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scrape_state, "REMEMBERED", 3)
    book = MonotonicCounters()
    for number in range(50):
        book.update([queue(f"q{number}", processed_total=1, succeeded_total=1, failed_total=0)])
    assert len(book._counters) == 4


@given(
    st.lists(
        st.tuples(st.integers(0, 50), st.integers(0, 50), st.sampled_from(Dialect)), max_size=20
    )
)
def test_nothing_ever_goes_back(polls: list[tuple[int, int, Dialect]]) -> None:
    queues = [
        queue(
            "q",
            dialect=dialect,
            processed_total=processed,
            succeeded_total=max(0, processed - failed) if dialect is Dialect.ASYNQ else processed,
            failed_total=failed,
        )
        for processed, failed, dialect in polls
    ]
    for values in zip(*course(*queues), strict=True):
        known = [value for value in values if value is not None]
        assert known == sorted(known)


def test_a_harmless_name_is_its_own_label() -> None:
    assert label("inference.high") == "inference.high"
    assert label("größe 大きい|{x}") == "größe 大きい|{x}"
    assert queue_label(QueueKey("a")) == "a"
    assert queue_label(QueueKey("a", braced=False)) == "a (no braces)"


def test_names_that_look_the_same_stay_apart() -> None:
    assert label("a\x1b[2J").startswith("a␛[2J~")
    assert label("a\x1b[2J") != label("a␛[2J")
    assert label("x" * 500) != label("x" * 501)
    assert len(label("x" * 500)) < 140


@given(st.text(alphabet=st.characters(codec=None), max_size=300))
def test_any_label_is_printable_and_the_same_each_time(text: str) -> None:
    made = label(text)
    assert made == label(text)
    made.encode("utf-8")
    assert all(char.isprintable() or char.isspace() for char in made)
    assert "\n" not in made


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1:9090", ListenAddress("127.0.0.1", 9090)),
        ("localhost:0", ListenAddress("localhost", 0)),
        ("0.0.0.0:65535", ListenAddress("0.0.0.0", 65_535)),
        ("[::1]:9090", ListenAddress("::1", 9090)),
        ("[fe80::1%eth0]:1", ListenAddress("fe80::1%eth0", 1)),
    ],
)
def test_addresses(text: str, address: ListenAddress) -> None:
    assert parse_listen(text) == address
    assert str(address) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "9090",
        ":9090",
        "h:",
        "h:x",
        "h:65536",
        "h:-1",
        "::1:9090",
        "http://h:1",
        "h:1/",
        "h\n:1",
    ],
)
def test_no_addresses(text: str) -> None:
    with pytest.raises(UsageError, match=r"^--listen .* is not an address: write HOST:PORT"):
        parse_listen(text)
