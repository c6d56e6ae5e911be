"""Whatever Redis holds, the terminal gets no control sequence but the monitor's own."""

from __future__ import annotations

import re
from base64 import b64encode

import pytest
import redis

from tests.app import hostile
from tests.pty.conftest import PANES, Monitor
from tests.pty.terminal import SEQUENCE, Terminal
from tests.support import fleet

EVIL = (
    b"\x1b[38;5;201;5m\x1b[77;177H\x1bc\x1b[5n\xc2\x9b31m\xe2\x80\xae\x1b]8;;x\x1b\\"
    + hostile.ESCAPES
)
OWN = re.compile(
    rb"\x1b\[(?:\d+;\d+H|(?:\d+;)*\d+m"  # places and colours
    rb"|\?(?:7|25|1000|1003|1004|1006|1015|1049|2004|2026)[hl]"
    rb"|\?20(?:26|48)\$p|>\d+u|<u)"
    rb"|\x1b\]22;default\x07"  # the shape of the pointer
)
OF_DATA = (b"\x1b[38;5;201;5m", b"\x1b[77;177H")
UNSEEN = re.compile("[\x00-\x09\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f]")


def tame(seen: Terminal, *allowed: bytes) -> None:
    """Assert on the byte stream; each of ``allowed`` may be there once."""
    raw = seen.raw
    for sequence in allowed:
        assert raw.count(sequence) == 1
        raw = raw.replace(sequence, b"")
    foreign = [found for found in SEQUENCE.findall(raw) if not OWN.fullmatch(found)]
    assert foreign == []
    for part in OF_DATA:
        assert part not in raw
    text = OWN.sub(b"", raw).decode()  # strictly: what is no UTF-8 must not come through either
    assert UNSEEN.findall(text) == []


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


def test_every_pane_and_modal(watched: Terminal) -> None:
    watched.press("1", "g", "\r")
    watched.sees("╭─ 00␛[2J␛[H␛]0;owned␇␛]52;c", "degraded")
    for tab in ("PRIORITY", "does not say", "␛[2J␛[H␛]0;owned␇␛]52;c;ZXZpbA==␇"):
        watched.press("]")
        watched.sees(tab)
    watched.press("]")
    for name in ("╭─ 01[@click=app.quit]x[/] [/x]", "╭─ 02‹202E›evil‹2066›", "╭─ 03‹FF›‹FE›"):
        watched.press("n")
        watched.sees(name)
    close(watched, "╭─ 03")
    watched.press("2", "g", "\r")
    watched.sees("╭─ ␛[2J", "counter says")
    watched.press("]")
    watched.sees("No counter in the past days.")
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
    own = b"\x1b]52;c;" + b64encode(hostile.ESCAPES) + b"\x07"
    tame(watched, own)


def test_every_other_place(watched: Terminal, writer: redis.Redis) -> None:
    watched.press("w")
    watched.sees("What is wrong", "is not draining", "␛[2J", "evidence")
    close(watched, "What is wrong")
    watched.press("3", "]", "]", "]", "]")
    watched.sees("3 Tasks ─ ␛[2J", "newest first", "dead␛[2J")
    watched.press("z")
    watched.misses("STATE      BEAT")
    watched.press("z")
    watched.sees("STATE      BEAT")
    watched.press("/")
    watched.sees("type to filter")
    watched.press("[@click=app.quit]x[/] [/x")
    watched.sees('None of the first 1,000 tasks contains "[@click=app.quit]x[/] [/x"')
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
    watched.sees("No queue has a task [/x] [@click=app.quit]x[/].")
    close(watched, "Find a task by id")
    watched.press("?")
    watched.sees("Esc closes")
    close(watched, "Esc closes")
    watched.press("\x10")
    watched.sees("Search for commands")
    close(watched, "Search for commands")
    watched.press("p")
    watched.sees("FROZEN since")
    tame(watched)


def test_a_payload_of_ten_megabytes(monitor: Monitor, writer: redis.Redis, redis_url: str) -> None:
    """A part is shown, and the whole can be written to a file."""
    payload = EVIL + b'{"a":"' + b"\xc3\xa9A" * 3_500_000 + EVIL
    assert len(payload) > 10_000_000
    fleet.pending(writer, "big", "big-1")
    message = fleet.message(type=EVIL, id="big-1", queue="big", payload=payload, error_msg=EVIL)
    fleet.task(writer, "big", "big-1", msg=message, state="pending", result=payload)
    seen = monitor.watch(redis_url)
    seen.sees("big-1  ", "10 MiB")
    seen.press("3", "g", "\r")
    seen.sees("╭─ big-1 ─", "10 MiB (first 256 KiB read)")
    seen.press("]")
    seen.sees("First 256 KiB of 10 MiB", "␛[38;5;201;5m␛[77;177H␛c␛[5n‹9B›31m‹202E›␛]8;;x␛\\␛[2J")
    seen.press("G")
    seen.sees("éAéAéA")
    seen.press("w")
    seen.sees("Wrote 10,5")
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
    tame(seen)
