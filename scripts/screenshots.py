"""Make screenshots/ from the demo: the real app on a simulated fleet, at fixed points of its story.

    python scripts/screenshots.py [--png]

Writes SVG files; ``--png`` adds PNG copies beside them (needs cairosvg and Fira Code).
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from time import monotonic

from textual.pilot import Pilot

from runqy_tui.config import Settings
from runqy_tui.demo.demo_run import DemoRun
from runqy_tui.model import QueueKey
from runqy_tui.model.reader_protocol import Reader
from runqy_tui.tui.app import RunqyApp

FOLDER = Path(__file__).resolve().parents[1] / "screenshots"
SPEED = 5.0
STORY_S = 104.0
"""Seconds into the story: workers are degraded, lost, recovering, stopped, and one has joined."""

Prepare = Callable[[RunqyApp, Pilot[None]], Awaitable[None]]


async def main_screen(app: RunqyApp, pilot: Pilot[None]) -> None:
    """The fleet in trouble, a queue selected."""
    await select_queue(app, pilot, "batch.default")


async def select_queue(app: RunqyApp, pilot: Pilot[None], name: str) -> None:
    await pilot.press("2")
    app.screen.query_one("#queues Table").select(QueueKey(name))  # type: ignore[attr-defined]
    await pilot.pause(0.6)


async def archived_task(app: RunqyApp, pilot: Pilot[None]) -> None:
    """A failed task's error, from the list of archived ones."""
    await select_queue(app, pilot, "vision.default")
    await pilot.press("3", "right_square_bracket", "right_square_bracket")
    await pilot.press("right_square_bracket", "right_square_bracket")
    await pilot.pause(0.6)
    await pilot.press("enter")
    await pilot.pause(0.6)


async def task_error(app: RunqyApp, pilot: Pilot[None]) -> None:
    await archived_task(app, pilot)
    await pilot.press("right_square_bracket", "right_square_bracket", "right_square_bracket")


async def worker(_app: RunqyApp, pilot: Pilot[None]) -> None:
    """The degraded worker: it is the first of its pane."""
    await pilot.press("1", "g", "enter")
    await pilot.pause(0.6)


async def worker_log(app: RunqyApp, pilot: Pilot[None]) -> None:
    await worker(app, pilot)
    await pilot.press("left_square_bracket")


async def queue_history(app: RunqyApp, pilot: Pilot[None]) -> None:
    await select_queue(app, pilot, "inference.default")
    await pilot.press("enter")
    await pilot.pause(0.6)
    await pilot.press("right_square_bracket")


async def help_screen(_app: RunqyApp, pilot: Pilot[None]) -> None:
    await pilot.press("question_mark")


async def errors(_app: RunqyApp, pilot: Pilot[None]) -> None:
    await pilot.press("e")
    await pilot.pause(1.0)


async def alerts(_app: RunqyApp, pilot: Pilot[None]) -> None:
    """Late enough for the built-in rules' "for"."""
    await pilot.pause(31.0)
    await pilot.press("a")


async def notices(_app: RunqyApp, pilot: Pilot[None]) -> None:
    await pilot.press("w")


SHOTS: tuple[tuple[str, tuple[int, int], Prepare], ...] = (
    ("main-120x40", (120, 40), main_screen),
    ("main-80x24", (80, 24), main_screen),
    ("main-200x60", (200, 60), main_screen),
    ("task-overview", (120, 40), archived_task),
    ("task-error", (120, 40), task_error),
    ("worker", (120, 40), worker),
    ("worker-log", (120, 40), worker_log),
    ("queue-history", (120, 40), queue_history),
    ("findings", (120, 40), notices),
    ("errors", (120, 40), errors),
    ("alerts", (120, 40), alerts),
    ("help", (120, 40), help_screen),
)


async def shoot(url: str, size: tuple[int, int], prepare: Prepare) -> str:
    async def open_reader() -> Reader:
        from runqy_tui.redis.reader import open_reader

        return await open_reader(url)

    app = RunqyApp(Settings(url=url, interval_s=0.5, name="demo"), open_reader)
    async with app.run_test(size=size) as pilot:
        deadline = monotonic() + 5
        while app.session.view.snapshot is None and monotonic() < deadline:
            await pilot.pause(0.05)
        await pilot.pause(1.2)
        await prepare(app, pilot)
        await pilot.pause(0.8)
        return app.export_screenshot(title="runqy-tui --demo")


STORY_AT_S = (27, 58, 96, 118)
"""Moments of the story, in seconds, at which the findings show what has happened."""


async def story() -> list[tuple[str, str]]:
    """Watch the story from its beginning, as somebody would, and take pictures on the way."""
    with DemoRun(tcp=True) as demo:
        began = monotonic()

        async def open_reader() -> Reader:
            from runqy_tui.redis.reader import open_reader

            return await open_reader(demo.url)

        app = RunqyApp(Settings(url=demo.url, interval_s=1.0, name="demo"), open_reader)
        pictures = []
        async with app.run_test(size=(140, 58)) as pilot:
            for at in STORY_AT_S:
                await pilot.pause(max(0.0, began + at - monotonic()))
                picture = app.export_screenshot(title=f"runqy-tui --demo, after {at} s")
                pictures.append((f"story-{at:03}s", picture))
        return pictures


def keep(name: str, svg: str, png: bool) -> None:
    (FOLDER / f"{name}.svg").write_text(svg, encoding="utf-8")
    print(f"screenshots/{name}.svg")
    if png:
        import cairosvg

        cairosvg.svg2png(bytestring=svg.encode(), write_to=str(FOLDER / f"{name}.png"))


async def run(png: bool) -> None:
    FOLDER.mkdir(exist_ok=True)
    for name, svg in await story():
        keep(name, svg, png)
    with DemoRun(speed=SPEED, tcp=True) as demo:
        await asyncio.sleep(STORY_S / SPEED)
        for name, size, prepare in SHOTS:
            keep(name, await shoot(demo.url, size, prepare), png)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--png", action="store_true", help="write PNG copies too")
    asyncio.run(run(parser.parse_args().png))


if __name__ == "__main__":
    main()
