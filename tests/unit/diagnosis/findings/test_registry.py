"""All detectors together: order, and that none can hide the others."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from runqy_tui.diagnosis import detectors as package
from runqy_tui.diagnosis.detectors import backlog_detectors
from runqy_tui.diagnosis.findings import registry
from runqy_tui.diagnosis.findings.detector_context import DetectorContext
from runqy_tui.diagnosis.findings.finding import Finding, Subject, SubjectKind, urgency
from runqy_tui.diagnosis.findings.phrasing import host_of, sentence_with_since, short
from runqy_tui.diagnosis.findings.registry import Detector, detector, detectors, diagnose
from runqy_tui.model import Recovery, WorkerState
from runqy_tui.model.severity import Severity
from runqy_tui.runtime.cooperative import run_to_end
from tests.support.builders import NOW, queue, snapshot, waiting, worker
from tests.unit.diagnosis.findings.detector_contexts import sight


def finding(
    name: str,
    severity: Severity = Severity.WARNING,
    weight: float = 1.0,
    since: float | None = None,
    since_known: bool = False,
    before_start: bool = False,
) -> Finding:
    subject = Subject(SubjectKind.WORKER, name)
    return Finding(
        "d", severity, subject, "r", "s", "n", weight=weight, since=since,
        since_known=since_known, before_start=before_start,
    )  # fmt: skip


STABLE_IDS = """
detector-failed queue-archive-cap queue-braceless queue-deep queue-failing queue-growing
queue-no-consumer queue-old-pending queue-past-due-scheduled queue-paused queue-stuck-retries
queue-unhealthy-consumers queue-unregistered redis-evicting redis-failover redis-memory
redis-read-only redis-slow redis-writes-blocked task-dangling task-held-by-degraded task-orphaned
task-over-timeout task-pending-timeout worker-clock-off worker-degraded worker-ghost worker-lost
worker-recovering worker-stale worker-unreadable
"""


def declared(name: str, detect: Callable[[DetectorContext], Iterator[Finding]]) -> Detector:
    return Detector(name, Severity.WARNING, "t", "m", "e", "f", detect)


def test_each_detector_is_registered_once() -> None:
    names = {f"{one.detect.__module__}.{one.detect.__name__}" for one in detectors()}
    assert len(names) == len(detectors()) >= 24
    assert sorted(one.id for one in detectors()) == [one.id for one in detectors()]


def test_ids_are_stable() -> None:
    """Rules, dashboards and acknowledgements name them; a new one may be added."""
    assert {one.id for one in detectors()} >= set(STABLE_IDS.split())


def test_an_id_is_registered_once() -> None:
    declare = detector(
        "queue-deep", severity=Severity.WARNING, title="t", meaning="m", evidence="e", fix="f"
    )
    with pytest.raises(ValueError, match="two detectors 'queue-deep'"):
        declare(backlog_detectors.deep.detect)


@pytest.mark.parametrize("one", detectors(), ids=lambda one: one.id)
def test_every_declaration_is_a_text_for_operators(one: Detector) -> None:
    assert re.fullmatch(r"(queue|worker|task|redis|detector)(-[a-z]+)+", one.id)
    assert one.severity in (Severity.WARNING, Severity.CRITICAL)
    assert 0 < len(one.title) <= 40
    for text in (one.title, one.meaning, one.evidence, one.fix):
        assert text == " ".join(text.split())
    for text in (one.meaning, one.evidence, one.fix):
        assert text.endswith(".")
    assert one.title[0].isupper()
    assert not one.title.endswith(".")


def test_a_new_detector_needs_one_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = """
from runqy_tui.diagnosis.findings.finding import Subject, SubjectKind
from runqy_tui.diagnosis.findings.registry import detector
from runqy_tui.model.severity import Severity

@detector("redis-new", severity=Severity.WARNING, title="T", meaning="M.", evidence="E.", fix="F.")
def new(context):
    subject = Subject(SubjectKind.REDIS, "r")
    yield new.finding(subject, reason="r", sentence="s", next_step="n")
"""
    (tmp_path / "new_detectors.py").write_text(source)
    monkeypatch.setattr(registry, "_REGISTERED", dict(registry._REGISTERED))
    monkeypatch.setattr(package, "__path__", [*package.__path__, str(tmp_path)])
    detectors.cache_clear()
    try:
        (found,) = run_to_end(diagnose(sight()))
    finally:
        detectors.cache_clear()
    assert (found.detector, found.sentence) == ("redis-new", "s")


def test_nothing_is_wrong_with_nothing() -> None:
    assert run_to_end(diagnose(DetectorContext(snapshot(), sight().history))) == ()


def test_the_order_is_severity_then_weight_then_age_then_id() -> None:
    expected = [
        finding("a", Severity.CRITICAL, 1.0),
        finding("b", weight=9.0, since=500.0),
        finding("c", weight=2.0, since=100.0),
        finding("d", weight=2.0, since=200.0),
        finding("e", weight=2.0),
        finding("f", weight=2.0),
    ]
    for start in range(len(expected)):
        turned = [*expected[start:], *expected[:start]]
        assert sorted(turned, key=urgency) == expected


def test_a_detector_that_fails_hides_no_other() -> None:
    def broken(_: DetectorContext) -> Iterator[Finding]:
        yield finding("before")
        raise KeyError("surprise")

    def sound(_: DetectorContext) -> Iterator[Finding]:
        yield finding("after")

    spoken = run_to_end(diagnose(sight(), [declared("broken", broken), declared("sound", sound)]))
    assert [one.subject.name for one in spoken if one.detector == "d"] == ["after", "before"]
    (failed,) = [one for one in spoken if one.detector == "detector-failed"]
    assert failed.severity is Severity.WARNING
    assert failed.subject.name == "broken"
    assert "(KeyError)" in failed.sentence
    assert "surprise" in failed.evidence[0].value


def test_every_finding_of_a_troubled_fleet_reads_like_a_sentence() -> None:
    recovery = {"q": Recovery("degraded", 3, 2)}
    seen = sight(
        workers=[
            worker("gpu-1:1", WorkerState.DEGRADED, healthy=False, recovery=recovery),
            worker("gpu-1:2", WorkerState.LOST, last_beat_age_s=60.0),
            worker("gpu-1:3", WorkerState.STALE, last_beat_age_s=60.0, problems=("metrics",)),
        ],
        queues=[
            queue("q.low", counts=waiting(3), consumers=("gpu-1:1",)),
            queue("other", counts=waiting(3)),
        ],
    )
    spoken = run_to_end(diagnose(seen))
    assert len({one.id for one in spoken}) == len(spoken) == 6
    for one in spoken:
        assert one.subject.name in one.sentence
        assert one.reason
        assert one.next_step
        assert one.evidence
        assert not any(sign in one.sentence + one.next_step for sign in ("None", "<", "('", "['"))


def test_since_is_told_once() -> None:
    assert sentence_with_since(finding("a"), NOW) == "s"
    assert sentence_with_since(finding("a", since=NOW, since_known=True), NOW) == "s"
    assert sentence_with_since(finding("a", since=NOW - 60), NOW) == "s, since 01:27:54 UTC"
    old = finding("a", since=NOW - 60, before_start=True)
    assert sentence_with_since(old, NOW) == "s, since before 01:27:54 UTC"


def test_names_are_cut_in_the_middle_and_hosts_are_told_from_other_ids() -> None:
    assert short("x" * 64) == "x" * 64
    cut = short("a" * 500 + "b" * 500)
    assert (len(cut), cut[0], cut[-1]) == (64, "a", "b")
    assert host_of("gpu-7:4312") == ("gpu-7", "4312")
    assert host_of("app:311:cf19-58e8") == ("app", "311")
    assert host_of("no pid") == ("no pid", None)
    assert host_of("gpu:x") == ("gpu:x", None)
