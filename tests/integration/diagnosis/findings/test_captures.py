"""Each capture shows exactly the findings that it should, and says them in plain words."""

from __future__ import annotations

import pytest

from tests.conftest import OpenReader
from tests.integration.diagnosis.findings.diagnose_once import Observer, sentences_of
from tests.support.captures import Captures, frozen_at

PAST_DUE = {"queue-past-due-scheduled flaky.default": "warning"}
"""In every runqy capture two scheduled tasks have been due for over an hour."""

EXPECTED: dict[str, dict[str, str]] = {
    "runqy-02": {"worker-recovering vm:27281": "warning", **PAST_DUE},
    "runqy-03": {
        "worker-degraded vm:27281": "critical",
        "queue-unhealthy-consumers crashy.default": "critical",
        "task-held-by-degraded crashy.default": "warning",
        **PAST_DUE,
    },
    "runqy-04": {"queue-no-consumer crashy.default": "critical", **PAST_DUE},
    "runqy-06": {
        "worker-lost vm:28230": "critical",
        "queue-no-consumer crashy.default": "warning",
        **PAST_DUE,
    },
    "runqy-07": {"worker-lost vm:28230": "critical", **PAST_DUE},
    "asynq-01": {"queue-paused low": "warning"},
}
SENTENCES: dict[str, list[str]] = {
    "runqy-02": ["worker vm:27281 is recovering: crashy process restarting, 1 consecutive failure"],
    "runqy-03": [
        "crashy.default is not draining: 1 of 1 consumer degraded (1 active, 3 in retry)",
        "worker vm:27281 is degraded: crashy process crashed and is not restarted, "
        "2 consecutive failures",
        "1 task in crashy.default is held by a degraded worker that keeps renewing the lease",
    ],
    "runqy-04": ["crashy.default is not draining: no worker serves it (3 pending)"],
    "runqy-06": ["crashy.default has 1 active task, but no worker serves it"],
    "runqy-07": ["worker vm:28230 is lost: last heartbeat"],
    "asynq-01": ["low is not draining: paused at"],
}


@pytest.mark.parametrize("name", list(EXPECTED))
async def test_findings(captures: Captures, reader_of: OpenReader, name: str) -> None:
    # As of when it was taken: a deadline inside a message is not moved along by rebasing.
    reader = await reader_of(clock=frozen_at(captures.load(name)))
    assert await sentences_of(reader) == EXPECTED[name]


@pytest.mark.parametrize("name", list(SENTENCES))
async def test_sentences(captures: Captures, reader_of: OpenReader, name: str) -> None:
    captures.load(name, rebase=True)
    spoken = [finding.sentence for finding in await Observer(await reader_of()).poll()]
    for sentence in SENTENCES[name]:
        assert any(one.startswith(sentence) for one in spoken), spoken


async def test_failures_without_storage_are_found_while_they_happen(
    captures: Captures, reader_of: OpenReader
) -> None:
    captures.load("runqy-07", rebase=True)
    observer = Observer(await reader_of())
    before = await observer.poll()
    assert "queue-failing" not in {finding.detector for finding in before}
    captures.writer.incrby("asynq:{nostore.default}:failed", 6)
    captures.writer.incrby("asynq:{nostore.default}:processed", 3)
    (failing,) = [f for f in await observer.poll() if f.detector == "queue-failing"]
    assert failing.sentence.startswith("nostore.default: 6 of 9 tasks failed permanently")
    assert failing.next_step == (
        "read the log of worker vm:22744; failed tasks are not stored (redis_storage is off)"
    )
