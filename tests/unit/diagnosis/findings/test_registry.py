"""All detectors together: order, and that none can hide the others."""

from __future__ import annotations

from collections.abc import Iterator

from runqy_tui.diagnosis.findings.finding import DetectorContext, Finding, Subject, SubjectKind
from runqy_tui.diagnosis.findings.phrasing import host_of, short, told_since
from runqy_tui.diagnosis.findings.registry import DETECTORS, diagnose, urgency
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


def test_each_detector_is_registered_once() -> None:
    names = {f"{one.__module__}.{one.__name__}" for one in DETECTORS}
    assert len(names) == len(DETECTORS) >= 24


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

    spoken = run_to_end(diagnose(sight(), (broken, sound)))
    assert [one.subject.name for one in spoken if one.detector == "d"] == ["after", "before"]
    (failed,) = [one for one in spoken if one.detector == "detector-failed"]
    assert failed.severity is Severity.WARNING
    assert failed.subject.name == "test_registry.broken"
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
    assert told_since(finding("a"), NOW) == "s"
    assert told_since(finding("a", since=NOW, since_known=True), NOW) == "s"
    assert told_since(finding("a", since=NOW - 60), NOW) == "s, since 01:27:54 UTC"
    old = finding("a", since=NOW - 60, before_start=True)
    assert told_since(old, NOW) == "s, since before 01:27:54 UTC"


def test_names_are_cut_in_the_middle_and_hosts_are_told_from_other_ids() -> None:
    assert short("x" * 64) == "x" * 64
    cut = short("a" * 500 + "b" * 500)
    assert (len(cut), cut[0], cut[-1]) == (64, "a", "b")
    assert host_of("gpu-7:4312") == ("gpu-7", "4312")
    assert host_of("app:311:cf19-58e8") == ("app", "311")
    assert host_of("no pid") == ("no pid", None)
    assert host_of("gpu:x") == ("gpu:x", None)
