"""Windows above windows have an end."""

from __future__ import annotations

from tests.app.driving import app_on, settle, watching


async def test_a_held_key_opens_no_more_windows_than_can_be_drawn(scene_url: str) -> None:
    async with watching(app_on(scene_url)) as hand:
        for _ in range(60):
            hand.app.action_help()
        await hand.hears("windows are open")  # before anything is drawn: it goes after seconds
        await settle(hand.pilot)
        assert 5 < len(hand.app.screen_stack) <= 11
        while len(hand.app.screen_stack) > 1:
            hand.app.pop_screen()
            await settle(hand.pilot)
        assert hand.app.fault is None
