"""Where a budget does not allow for all queues, those on the screen are read at every poll."""

from __future__ import annotations

from redis import Redis

from runqy_tui.config import Settings
from runqy_tui.redis.reader import open_reader
from runqy_tui.tui.app import RunqyApp
from tests.app.driving import watching
from tests.support import dialect_writers

BUDGET = 100


async def test_what_is_on_the_screen_is_read(redis_url: str, writer: Redis) -> None:
    for number in range(60):
        dialect_writers.queue(writer, f"q{number:02}")
    settings = Settings(url=redis_url, interval_s=0.2, budget=BUDGET)
    app = RunqyApp(settings, lambda: open_reader(redis_url, budget=BUDGET))
    async with watching(app) as hand:
        await hand.sees("oldest data ", " at 100/s")
        await hand.press("2", "G")
        shown = hand.main.queues_pane.in_view()
        assert len(shown) > 5
        assert shown[0] == hand.queues.selected

        def read() -> list[bool]:
            assert hand.live.snapshot is not None
            snapshot = hand.live.snapshot
            queues = [snapshot.queue(key) for key in shown]
            return [
                queue is not None and queue.key not in snapshot.unread_queues for queue in queues
            ]

        await hand.until(lambda: all(read()), "the queues in view")
        assert hand.live.snapshot is not None
        assert hand.live.snapshot.unread_queues
