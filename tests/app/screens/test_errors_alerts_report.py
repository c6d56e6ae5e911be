"""Errors by kind, alerts with their log, and the incident report: the keys e, a and R."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest
from redis import Redis

from runqy_tui.alerts.rule import Rule
from runqy_tui.alerts.rule_file import parse_rules
from runqy_tui.tui.app import RunqyApp
from runqy_tui.tui.notifications import osc9
from tests.app import scenes
from tests.app.driving import app_on, keys_of, watching
from tests.support import dialect_writers

AT_ONCE = """
[[rule]]
name = "sick"
kind = "worker-unhealthy"
severity = "critical"
for = "0s"
"""


def rules_at_once() -> tuple[Rule, ...]:
    return parse_rules(AT_ONCE, "a test")


def alerting(url: str, **settings: object) -> RunqyApp:
    plain = app_on(url, **settings)  # type: ignore[arg-type]
    return RunqyApp(plain.session.settings, plain.session.poller._open_reader, rules_at_once())


async def test_e_groups_failures_and_leads_to_a_task(writer: Redis, scene_url: str) -> None:
    now = dialect_writers.now_of(writer)
    for number in range(3):
        text = f"upstream 503 for job {number}{number}17 at 10.0.0.{number}:80"
        scenes.archived(writer, "beta.default", f"net-{number}", now - number, text)
    async with watching(app_on(scene_url)) as hand:
        await hand.press("e")
        await hand.opens("ErrorsModal")
        await hand.sees("2 causes", "upstream <n> for job <n> at <host>", "boom: the")
        await hand.sees("beta.default:3")
        await hand.press("g", "enter")
        await hand.sees("net-0", "net-1", "net-2")
        await hand.press("enter")
        await hand.opens("TaskModal")
        await hand.sees("net-0", "upstream 503")
        await hand.press("escape")
        await hand.opens("ErrorsModal")
        await hand.press("l")
        await hand.sees("upstream 503 for job 0017")
        await hand.press("escape")
        await hand.opens("MainScreen")


async def test_a_shows_what_fires_and_the_log(writer: Redis, scene_url: str) -> None:
    async with watching(alerting(scene_url)) as hand:
        await hand.sees("2 alerts")
        await hand.press("a")
        await hand.opens("AlertsModal")
        await hand.sees("2 firing, 0 pending; 1 rule", "firing", "sick:2", "lost:3")
        table = hand.screen.query_one("#present")
        assert len(keys_of(table)) == 2  # type: ignore[arg-type]
        writer.hset("asynq:workers:sick:2", "healthy", 1)
        writer.hdel("asynq:workers:sick:2", "recovery")
        await hand.sees("1 firing")
        await hand.press("l")
        await hand.sees("resolved", "Log 3")
        await hand.press("h", "enter")
        await hand.opens("WorkerModal")
        await hand.sees("lost:3")


@pytest.mark.parametrize(("how", "rings"), [("none", 0), ("bell", 1), ("osc9", 0)])
async def test_what_begins_to_fire_is_announced_as_asked(
    scene_url: str, how: str, rings: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[str] = []
    monkeypatch.setattr(RunqyApp, "bell", lambda _: heard.append("bell"))
    async with watching(alerting(scene_url, notify=how)) as hand:
        await hand.polls(2)
        assert heard == ["bell"] * rings, "once, however many and however long"


def test_a_desktop_notification_is_safe_text() -> None:
    from runqy_tui.alerts.alert_states import Alert, AlertState
    from runqy_tui.diagnosis.findings.finding import Subject, SubjectKind

    rule = rules_at_once()[0]
    evil = "worker \x1b]52;c;eA==\x07\u202e is lost"
    alert = Alert(rule, Subject(SubjectKind.WORKER, "w"), AlertState.FIRING, 0.0, 1.0, evil)
    sequence = osc9([alert, alert])
    assert sequence.startswith("\x1b]9;runqy: worker ␛]52;c;eA==␇‹202E› is lost (+1 more)")
    assert sequence.count("\x1b") == sequence.count("\x07") == 1


async def test_shift_r_writes_a_report(
    scene_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with watching(app_on(scene_url)) as hand:
        await hand.press("R")
        await hand.hears("Saved ")
        (markdown,) = written_in(tmp_path)
        text = markdown.read_text()
        assert "worker sick:2 is degraded" in text
        assert "boom: the disk is full" in text
        assert json.loads(markdown.with_suffix(".json").read_text())["findings"]
        assert base64.b64encode(b"secret").decode() not in text


def written_in(folder: Path) -> list[Path]:
    return list(folder.glob("runqy-report-*.md"))
