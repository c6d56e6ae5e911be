"""The pane of findings: first on the screen, gone when all is well, and a way to the object."""

from __future__ import annotations

from time import monotonic

from redis import Redis

from runqy_tui.diagnosis.diagnoser import Diagnosis
from runqy_tui.model import QueueKey
from runqy_tui.monitor.poller import PollResult
from tests.app.driving import SMALL, app_on, keys_of, watching
from tests.support import dialect_writers


async def test_what_is_wrong_comes_first_with_a_next_step(scene_url: str) -> None:
    async with watching(app_on(scene_url)) as hand:
        await hand.sees(
            "4 Findings 3", "worker sick:2 is degraded", "→ restart runqy-worker on sick"
        )
        pane = hand.main.findings_pane
        assert pane.region.y < hand.main.workers_pane.region.y
        assert "✖ 3" in hand.lines[0]


async def test_a_healthy_fleet_has_no_such_pane(writer: Redis, redis_url: str) -> None:
    dialect_writers.worker(writer, "fine:1", dialect_writers.now_of(writer), "map[a.default:1]")
    dialect_writers.queue(writer, "a.default")
    async with watching(app_on(redis_url)) as hand:
        await hand.sees("No problems")
        assert not hand.main.findings_pane.display
        await hand.press("4")
        assert hand.front.number == 2
        writer.hset("asynq:workers:fine:1", "healthy", 0)
        await hand.until(lambda: hand.main.findings_pane.display)
        await hand.sees("worker fine:1 is degraded")
        await hand.misses("No problems")


async def test_what_the_reader_noticed_is_named_beside_findings(
    writer: Redis, scene_url: str
) -> None:
    async with watching(app_on(scene_url)) as hand:
        await hand.sees("4 Findings 3 ")
        assert "notice" not in hand.text
        writer.set("asynq:{beta.default}:archived", "no sorted set")
        await hand.sees("─ 1 notice (w) ")
        await hand.press("w")
        await hand.sees("asynq:{beta.default}:archived", "another type")


async def test_enter_goes_to_the_object(scene_url: str) -> None:
    async with watching(app_on(scene_url)) as hand:
        await hand.press("4")
        table = hand.main.findings_pane.table
        opened = {}
        for key in keys_of(table):
            assert table.select(key)
            await hand.press("enter")
            await hand.until(lambda: hand.screen is not hand.main)
            opened[str(key).partition(":")[0]] = type(hand.screen).__name__
            await hand.press("escape")
            await hand.opens("MainScreen")
        assert opened == {
            "worker-degraded": "WorkerModal",
            "worker-lost": "WorkerModal",
            "queue-unhealthy-consumers": "QueueModal",
        }
        assert hand.workers.selected in ("sick:2", "lost:3")
        assert hand.queues.selected == QueueKey("beta.default")


async def test_x_acknowledges_until_it_gets_worse(writer: Redis, scene_url: str) -> None:
    async with watching(app_on(scene_url)) as hand:
        await hand.press("4")
        table = hand.main.findings_pane.table
        assert table.select("queue-unhealthy-consumers:beta.default/beta.default")
        await hand.press("x")
        await hand.until(lambda: "✖ 2" in hand.lines[0], "no longer counted")
        assert keys_of(table)[-1] == "queue-unhealthy-consumers:beta.default/beta.default"
        assert table.selected != keys_of(table)[-1], "the next one is selected"
        await hand.polls(2)
        assert "✖ 2" in hand.lines[0], "polls do not bring it back"
        for number in range(10):
            dialect_writers.pending(
                writer, "beta.default", f"more-{number}", since=dialect_writers.now_of(writer)
            )
        await hand.until(lambda: "✖ 3" in hand.lines[0], "it got worse")


async def test_w_shows_the_evidence_of_the_selected_one(scene_url: str) -> None:
    async with watching(app_on(scene_url)) as hand:
        await hand.press("4")
        assert hand.main.findings_pane.table.select("worker-lost:lost:3")
        await hand.press("w")
        await hand.opens("FindingsModal")
        await hand.sees("─ Finding ─", "worker lost:3 is lost", "asynq:workers:lost:3")
        await hand.misses("asynq:workers:sick:2")


async def test_two_lines_on_a_small_screen(scene_url: str) -> None:
    async with watching(app_on(scene_url), SMALL) as hand:
        await hand.sees("4 Findings 3", "1 more below")
        assert hand.main.findings_pane.size.height == 2


async def test_a_frozen_screen_keeps_its_findings(writer: Redis, scene_url: str) -> None:
    async with watching(app_on(scene_url)) as hand:
        await hand.press("p")
        writer.hset("asynq:workers:fine:1", "healthy", 0)
        await hand.until(lambda: len(hand.live.findings) > 3)
        await hand.polls(1)
        await hand.sees("4 Findings 3")
        await hand.press("p")
        await hand.misses("4 Findings 3")


async def test_what_is_acknowledged_while_a_poll_is_taken_in_stays_so(scene_url: str) -> None:
    async with watching(app_on(scene_url, interval=60)) as hand:
        session = hand.app.session
        snapshot, findings = session.view.snapshot, session.view.findings
        assert snapshot is not None
        on_its_way = PollResult(monotonic(), snapshot, Diagnosis(snapshot, findings))
        session.acknowledge(findings[0].id)
        await session.apply(on_its_way)
        known = {one.id: one.acknowledged_at is not None for one in session.view.findings}
        assert known == {one.id: one is findings[0] for one in findings}
        assert "acknowledged" in session.view.assessment.workers["sick:2"].reason


async def test_many_of_a_kind_are_one_line(writer: Redis, scene_url: str) -> None:
    now = dialect_writers.now_of(writer)
    names = [f"alone-{number:02}.default" for number in range(12)]
    for name in names:
        dialect_writers.pending(writer, name, f"{name}-1", since=now - 5)
    async with watching(app_on(scene_url)) as hand:
        pane = hand.main.findings_pane
        await hand.sees(
            "4 Findings 15 ✖15 ", "12 queues: no consumer; alone-", "sick:2 is degraded"
        )
        assert len(pane.table.rows) == 4
        await hand.press("4")
        kind = "queue-no-consumer*critical"
        assert pane.table.select(kind)
        await hand.press("enter")
        await hand.opens("FindingsModal")
        await hand.sees("─ Finding ─", "alone-00.default is not draining")
        await hand.misses("is degraded")
        await hand.press("escape", "slash")
        await hand.type("alone")
        assert len(pane.table.rows) == 12, "whoever filters wants each by itself"
        await hand.press("enter", "x")
        await hand.until(lambda: "✖ 14" in hand.lines[0], "one is acknowledged")
        await hand.press("escape")
        await hand.until(lambda: pane.table.select(kind))
        await hand.sees("11 queues: no consumer")
        await hand.press("x")
        await hand.until(lambda: "✖ 3" in hand.lines[0], "all of the row are acknowledged")
        await hand.sees("4 Findings 15 ✖3 ")
        assert pane.table.select(f"{kind}*seen"), keys_of(pane.table)
        await hand.sees("12 queues: no consumer")


async def test_the_selection_goes_along_into_a_row_of_many(writer: Redis, scene_url: str) -> None:
    now = dialect_writers.now_of(writer)
    names = [f"alone-{number:02}.default" for number in range(12)]
    for name in names[:8]:
        dialect_writers.pending(writer, name, f"{name}-1", since=now - 5)
    async with watching(app_on(scene_url)) as hand:
        await hand.sees("4 Findings 11 ")
        table = hand.main.findings_pane.table
        await hand.press("4")
        assert table.select(f"queue-no-consumer:{names[3]}/{names[3]}")
        for name in names[8:]:
            dialect_writers.pending(writer, name, f"{name}-1", since=now - 5)
        await hand.sees("12 queues: no consumer")
        assert table.selected == "queue-no-consumer*critical"
        assert "was removed" not in hand.text
        for name in names[1:]:
            writer.delete(f"asynq:{{{name}}}:pending")
        await hand.sees("4 Findings 4 ")
        assert table.selected == f"queue-no-consumer:{names[0]}/{names[0]}"
