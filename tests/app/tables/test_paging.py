"""A queue of 100,000 tasks: only the pages in sight are read, however one moves in it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from redis import Redis

from runqy_tui.config import Settings
from runqy_tui.demo.embedded_server import EmbeddedServer
from runqy_tui.model import QueueKey, TaskPage, TaskState
from runqy_tui.model.reader_protocol import PAGE_SIZE
from runqy_tui.redis.reader import RedisReader, open_reader
from runqy_tui.tui.app import RunqyApp
from tests.app import scenes
from tests.app.driving import Hand, title, watching

LENGTH = 100_000
LAST = f"task-{LENGTH - 1:06}"


@pytest.fixture(scope="module")
def long_url() -> Iterator[str]:
    """A server of its own: writing 100,000 tasks takes a second."""
    with EmbeddedServer() as server, Redis.from_url(server.url) as writer:
        scenes.many_pending(writer, "long.default", LENGTH)
        yield server.url


@dataclass
class Ledger:
    """Notes which pages a reader was asked for; the reader is the real one."""

    pages: list[tuple[int, int]] = field(default_factory=list)

    async def open(self, url: str) -> RedisReader:
        reader = await open_reader(url)
        read = reader.page

        async def page(queue: QueueKey, state: TaskState, **window: Any) -> TaskPage:
            found = await read(queue, state, **window)
            self.pages.append((found.offset, len(found.rows)))
            return found

        reader.page = page  # type: ignore[method-assign]
        return reader

    @property
    def numbers(self) -> set[int]:
        return {offset // PAGE_SIZE for offset, _ in self.pages}


def _app(url: str, ledger: Ledger) -> RunqyApp:
    return RunqyApp(Settings(url=url, interval_s=0.2), lambda: ledger.open(url))


async def _settled(hand: Hand, key: str) -> None:
    await hand.until(lambda: hand.tasks.selected == key, key)
    await hand.sees(f"▌{key}")


async def test_only_what_is_in_sight_is_read(long_url: str) -> None:
    ledger = Ledger()
    async with watching(_app(long_url, ledger)) as hand:
        await hand.press("3")
        await _settled(hand, "task-000000")
        assert len(hand.tasks.rows) == LENGTH
        await hand.polls()
        assert ledger.numbers == {0}
        ledger.pages.clear()
        await hand.press("G")
        await _settled(hand, LAST)
        await hand.polls()
        last = (LENGTH - 1) // PAGE_SIZE
        assert ledger.numbers <= {0, last}
        ledger.pages.clear()
        await hand.polls()
        assert ledger.numbers == {last}
        await hand.press("ctrl+u", "k")
        half = hand.tasks.page_height // 2
        await _settled(hand, f"task-{LENGTH - 2 - half:06}")
        await hand.press("g")
        await _settled(hand, "task-000000")
        await hand.polls()
        assert max(rows for _, rows in ledger.pages) <= PAGE_SIZE


async def test_half_pages_read_each_page_as_it_comes(long_url: str) -> None:
    ledger = Ledger()
    async with watching(_app(long_url, ledger)) as hand:
        await hand.press("3")
        await _settled(hand, "task-000000")
        half = hand.tasks.page_height // 2
        presses = 3 * PAGE_SIZE // half
        for _ in range(presses):
            await hand.press("ctrl+d")
        await _settled(hand, f"task-{presses * half:06}")
        assert ledger.numbers == set(range(presses * half // PAGE_SIZE + 1))


async def test_a_hundred_polls_worth_of_keys_ask_for_little(long_url: str) -> None:
    """Keys that outrun Redis are not queued up: what is asked for is what is in sight then."""
    ledger = Ledger()
    async with watching(_app(long_url, ledger)) as hand:
        await hand.press("3")
        await _settled(hand, "task-000000")
        ledger.pages.clear()
        for _ in range(200):
            hand.send("pagedown")
        row = 200 * hand.tasks.page_height
        await _settled(hand, f"task-{row:06}")
        assert len(ledger.pages) < 120


async def test_newest_first_opens_at_the_other_end(long_url: str) -> None:
    ledger = Ledger()
    async with watching(_app(long_url, ledger)) as hand:
        await hand.press("3")
        await _settled(hand, "task-000000")
        await hand.press("s")
        await _settled(hand, LAST)
        assert "newest first" in title(hand.tasks_pane)
        await hand.press("G")
        await _settled(hand, "task-000000")
        assert ledger.numbers <= {0, (LENGTH - 1) // PAGE_SIZE}


async def test_a_filter_says_how_deep_it_looked(long_url: str) -> None:
    ledger = Ledger()
    async with watching(_app(long_url, ledger)) as hand:
        await hand.press("3")
        await _settled(hand, "task-000000")
        await hand.press("slash")
        await hand.type("k-00099")
        await hand.press("enter")
        await hand.until(lambda: len(hand.tasks.rows) == 10)
        notice = "10 matches in the first 1,000 of 100,000"
        await hand.until(lambda: notice in title(hand.tasks_pane))
        assert max(rows for _, rows in ledger.pages) == 1_000


async def test_enter_opens_the_last_of_a_hundred_thousand(long_url: str) -> None:
    ledger = Ledger()
    async with watching(_app(long_url, ledger)) as hand:
        await hand.press("3", "G")
        await _settled(hand, LAST)
        await hand.press("enter")
        await hand.opens("TaskModal")
        await hand.sees(LAST)
        await hand.press("N")
        await hand.sees(f"task-{LENGTH - 2:06}")
