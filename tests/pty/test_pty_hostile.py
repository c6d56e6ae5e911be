"""Whatever Redis holds, the terminal gets no control sequence but the monitor's own."""

from __future__ import annotations

from string import ascii_letters, digits
from urllib.parse import quote

import pytest
import redis

from tests.pty.conftest import PANES, Monitor
from tests.pty.terminal import Terminal
from tests.support import dialect_writers, hostile
from tests.support.terminal_stream import Stream, odd_text

NAME = ascii_letters + digits + "._-"


@pytest.fixture
def watched(monitor: Monitor, writer: redis.Redis, redis_url: str) -> Terminal:
    """A monitor of the hostile database."""
    hostile.fill(writer)
    seen = monitor.watch(redis_url, "--interval", "60")
    seen.sees(*PANES, "00␛[2J", "␛[2J␛[H␛]0;o")
    return seen


def close(seen: Terminal, sign: str) -> None:
    """Close what shows the sign; a key that came too soon would make another one of the Esc."""
    seen.press("\x1b")
    seen.misses(sign)


def leave(seen: Terminal) -> None:
    """Quit: all output is here then, while one still running may be in the midst of a frame."""
    seen.press("q")
    assert seen.ends() == 0


def test_every_pane_and_modal(watched: Terminal) -> None:
    watched.press("1", "g", "\r")
    watched.sees("╭─ 00␛[2J␛[H␛]0;owned␇␛]52;c", "degraded")
    for tab in ("PRIORITY", "do not report", "␛[2J␛[H␛]0;owned␇␛]52;c;ZXZpbA==␇"):
        watched.press("]")
        watched.sees(tab)
    watched.press("]")
    for name in ("╭─ 01[@click=app.quit]x[/] [/x]", "╭─ 02‹202E›evil‹2066›", "╭─ 03‹FF›‹FE›"):
        watched.press("n")
        watched.sees(name)
    close(watched, "╭─ 03")
    watched.press("2", "g", "\r")
    watched.sees("╭─ ␛[2J", "processed ", "(runqy-worker counts successes only)")
    watched.press("]")
    watched.sees("No counters for the past days.")
    watched.press("]")
    watched.sees("WORKER", "PRIORITY", "NOTE")
    watched.press("\r")
    watched.sees("╭─ 00␛[2J")
    close(watched, "╭─ 00␛[2J")
    close(watched, "╭─ ␛[2J")
    watched.press("3", "g", "\r")
    watched.sees("╭─ ␛[2J", "pending", "unique key")
    for tab in ("text", "␛[2J", "Traceback", "error_msg"):
        watched.press("]")
        watched.sees(tab)
    watched.press("y")
    watched.sees("Copied ␛[2J")
    close(watched, "╭─ ␛[2J")
    leave(watched)
    Stream(watched.raw).tame(hostile.ESCAPES)


def test_every_other_place(watched: Terminal, writer: redis.Redis) -> None:
    watched.press("w")
    watched.sees("All findings", "is not draining", "␛[2J", "evidence")
    close(watched, "All findings")
    watched.press("3", "]", "]", "]", "]")
    watched.sees("3 Tasks ─ ␛[2J", "FAILED", "dead␛[2J")
    watched.press("z")
    watched.misses("STATE      BEAT")
    watched.press("z")
    watched.sees("STATE      BEAT")
    watched.press("/")
    watched.sees("text to filter by")
    watched.press("[@click=app.quit]x[/] [/x")
    watched.sees('No match for "[@click=app.quit]x[/] [/x"')
    watched.press("\x1b")
    watched.sees("dead␛[2J")
    (dead,) = writer.zrange(b"asynq:{" + hostile.ESCAPES + b"}:archived", 0, 0)
    writer.delete(b"asynq:{" + hostile.ESCAPES + b"}:archived")
    assert dead == b"dead" + hostile.ESCAPES
    watched.press("+")  # asks anew at once
    watched.sees("dead␛[2J␛[H", "elsewhere in this list")
    watched.press("i")
    watched.sees("Find a task by id")
    watched.press("[/x] [@click=app.quit]x[/]\r")
    watched.sees("No queue has task [/x] [@click=app.quit]x[/].")
    close(watched, "Find a task by id")
    watched.press("?")
    watched.sees("Esc closes")
    close(watched, "Esc closes")
    watched.press("\x10")
    watched.sees("Search for commands")
    close(watched, "Search for commands")
    watched.press("p")
    watched.sees("FROZEN since")
    leave(watched)
    Stream(watched.raw).tame()


def test_a_payload_of_ten_megabytes(monitor: Monitor, writer: redis.Redis, redis_url: str) -> None:
    """A part is shown, and the whole can be written to a file."""
    payload = hostile.ESCAPES + b'{"a":"' + b"\xc3\xa9A" * 3_500_000 + hostile.ESCAPES
    assert len(payload) > 10_000_000
    dialect_writers.pending(writer, "big", "big-1")
    message = dialect_writers.message(
        type=hostile.ESCAPES, id="big-1", queue="big", payload=payload, error_msg=hostile.ESCAPES
    )
    dialect_writers.task(writer, "big", "big-1", msg=message, state="pending", result=payload)
    seen = monitor.watch(redis_url)
    seen.sees("big-1  ", "10 MiB")
    seen.press("3", "g", "\r")
    seen.sees("╭─ big-1 ─", "10 MiB (first 256 KiB read)")
    seen.press("]")
    seen.sees("First 256 KiB of 10 MiB", "␛[38;5;201;5m␛[77;177H␛c␛[5n␛[?1049l")
    seen.press("G")
    seen.sees("éAéAéA")
    seen.press("w")
    seen.sees("Saved 10,5")
    (written,) = monitor.home.glob("runqy-big-1-payload*")
    assert written.read_bytes() == payload
    seen.press("]")
    seen.sees("First 256 KiB of 10 MiB")
    seen.press("]")
    seen.misses("First 256 KiB")
    seen.sees("␛[38;5;201;5m")
    seen.press("]")
    seen.sees("msg (10 MiB, first ")
    seen.press("G")
    seen.sees("state (7 B)")
    close(seen, "╭─ big-1")
    leave(seen)
    Stream(seen.raw).tame()


RULES = '[[rule]]\nname = "at-once"\nkind = "worker-unhealthy"\nseverity = "critical"\nfor = "0s"\n'


def written(seen: Terminal) -> None:
    """Write what is shown to a file; earlier news of that must have gone."""
    seen.still()
    seen.misses("Saved ")
    seen.press("w")
    seen.sees("Saved ")


def test_every_other_window(monitor: Monitor, writer: redis.Redis, redis_url: str) -> None:
    """Other dialects, every state, errors, alerts, the report, and what is written and said."""
    hostile.fill(writer)
    hostile.fill_more(writer)
    (monitor.home / "at-once.toml").write_text(RULES)
    options = ("--interval", "60", "--notify", "osc9", "--rules", "at-once.toml")
    seen = monitor.watch(redis_url, *options, size=(200, 60))
    seen.sees("00␛[2J", "every.state", "64 KiB---")
    seen.press("2", "g")
    seen.press_until("j", lambda: "3 Tasks ─ every.state" in seen.text)
    seen.press("3", "g")
    for sign in ("active␛[2J", "scheduled␛[2J", "retry␛[2J", "dead", "completed␛[2J", "grouped"):
        seen.press("]")
        seen.sees("3 Tasks ─ every.state", sign)
    seen.press("g", "\r")
    seen.sees("╭─ grouped", "unique key")
    for _ in range(len(hostile.NAMES)):
        so_far = len(seen.raw)
        seen.press("n")
        seen.until(lambda so_far=so_far: len(seen.raw) > so_far, "the next one")  # type: ignore[misc]
    seen.press("]")
    written(seen)
    close(seen, "╭─ grouped")
    seen.press("1", "G", "\r")
    seen.sees("╭─ ", "asynq")
    for _ in range(3):
        seen.press("]", "n")
        seen.still()
    close(seen, "│ Active tasks │")
    seen.press("4")
    seen.sees("w why")
    seen.press("w")
    seen.sees("╭─ Finding ─", "evidence")
    close(seen, "╭─ Finding ─")
    seen.press("e")
    seen.sees("╭─ Errors by cause ─", " failed tasks, 12 causes", "ERROR")
    for key, sign in (("\r", "FAILED"), ("]", "Traceback (most recent call last):")):
        seen.press(key)
        seen.sees(sign)
    seen.press("y")
    seen.sees("Copied ")
    written(seen)
    seen.sees(" failed tasks, 12 causes")
    close(seen, " failed tasks, 12 causes")
    seen.press("a")
    seen.sees(" firing, ", " pending; 1 rule")
    seen.press("]")
    written(seen)
    close(seen, " pending; 1 rule")
    seen.press("\x10")
    seen.sees("Search for commands")
    seen.press("\x1b[200~[/x] [@click=app.quit]x[/]\x1b]0;owned\x07\x9b2J\x1b[201~")
    seen.sees("[/x] [@click=app.quit]x[/]", "No matches found")
    close(seen, "No matches found")
    seen.press("R")
    seen.until(lambda: [*monitor.home.glob("runqy-*.md")], "the report")
    seen.sees("Saved ")
    seen.press("q")
    assert seen.ends() == 0
    seen.restored()
    stream = Stream(seen.raw)
    stream.tame(*stream.copied, announced=None)
    assert len(stream.copied) == 1
    assert stream.announced
    files = [file for file in monitor.home.iterdir() if file.name.startswith("runqy")]
    assert len(files) == 5
    for file in files:
        assert file.name.isascii()
        assert set(file.name) <= set(NAME)
    report = next(file for file in files if file.suffix == ".md").read_text()
    assert odd_text(report, "\n") == []


def test_what_the_server_says(monitor: Monitor, writer: redis.Redis, redis_url: str) -> None:
    """An error names the user; whoever made that user chose the name."""
    user = "a\x1b]0;owned\x07\x9b2J[/x]\u202e"
    dialect_writers.allow(writer, user, "on >right +@all")
    try:
        url = redis_url.replace("unix://", f"unix://{quote(user, safe='')}:x@")
        seen = monitor.watch_for("✖ no connection", url, size=(160, 40))
        seen.sees('refuses the password for user "a␛]0;owned␇‹9B›2J[/x]‹202E›"')
        seen.press("w")
        seen.sees("All findings")
        seen.press("q")
        seen.misses("All findings")
        seen.press("q")
        assert seen.ends() == 0
        Stream(seen.raw).tame()
    finally:
        dialect_writers.forbid(writer, user)
