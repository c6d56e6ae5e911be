"""A single size is delivered immediately, of many the newest, and never too late."""

from __future__ import annotations

import asyncio

from textual.events import Resize
from textual.geometry import Size

from runqy_tui.tui.renderer.resizing import PATIENCE_S, SETTLE_S, Resizing


def _size(columns: int) -> Resize:
    return Resize(Size(columns, 5), Size(columns, 5))


async def test_a_single_size_immediately_and_the_newest_of_many() -> None:
    delivered: list[Resize | None] = []
    loop = asyncio.get_running_loop()
    resizing = Resizing(loop, delivered.append)
    sizes = [_size(columns) for columns in range(100)]
    for size in sizes:
        resizing.observe(size)
    assert delivered == sizes[:1]
    await asyncio.sleep(3 * SETTLE_S)
    assert delivered == [sizes[0], sizes[-1]]


async def test_an_endless_series_of_sizes_is_drawn_at_intervals() -> None:
    delivered: list[Resize | None] = []
    loop = asyncio.get_running_loop()
    resizing = Resizing(loop, delivered.append)
    start, sent = loop.time(), 0
    while len(delivered) < 2:
        sent += 1
        resizing.observe()
        await asyncio.sleep(SETTLE_S / 20)
    assert loop.time() - start >= PATIENCE_S * 0.9
    assert sent > 2
