"""The connection goes and comes: what stays on screen, what is said, and what it costs."""

from __future__ import annotations

import re
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from itertools import takewhile
from pathlib import Path
from time import monotonic, sleep

import pytest
from redis import ConnectionError as RedisConnectionError
from redis import Redis

from runqy_tui.demo.embedded_server import find_server
from runqy_tui.model import QueueKey
from runqy_tui.monitor.store import ConnectionState
from tests.app import scenes
from tests.app.driving import Hand, app_on, keys_of, running, subtitle, watching


class Mortal:
    """A server that dies and comes back, empty, on the same socket."""

    def __init__(self, folder: Path) -> None:
        self._socket = folder / "redis.sock"
        self._folder = folder
        self.url = f"unix://{self._socket}?db=0"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> Redis:
        """Start it and give a client of it."""
        options = {"port": "0", "save": "", "unixsocket": self._socket, "dir": self._folder}
        words = [str(word) for name, value in options.items() for word in (f"--{name}", value)]
        program = [str(find_server(None)), *words]
        self._process = subprocess.Popen(program, stdout=subprocess.DEVNULL)
        client = Redis.from_url(self.url)
        deadline = monotonic() + 45
        while not _answers(client):
            assert monotonic() < deadline
            sleep(0.01)
        return client

    def freeze(self) -> None:
        """Stop it where it is: it takes questions and answers none."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """SIGKILL, as the kernel does when memory runs out."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()


def _answers(client: Redis) -> bool:
    try:
        return bool(client.ping())
    except RedisConnectionError:
        return False


@pytest.fixture
def mortal() -> Iterator[Mortal]:
    """A server that is not running yet; its path is short, as a socket's has to be."""
    with tempfile.TemporaryDirectory() as folder:
        server = Mortal(Path(folder))
        yield server
        server.kill()


def _fill(client: Redis, processed: int = 1_000) -> None:
    with client:
        scenes.small_fleet(client)
        client.set("asynq:{alpha.low}:processed", processed)


async def _lose(hand: Hand, mortal: Mortal) -> None:
    await hand.until(lambda: keys_of(hand.tasks) == ["beta-1"])
    mortal.kill()
    await hand.sees("✖ connection lost · data ")


async def test_the_last_data_stay_and_age(mortal: Mortal) -> None:
    _fill(mortal.start())
    async with watching(app_on(mortal.url)) as hand:
        await _lose(hand, mortal)
        await hand.sees("sick:2", "beta.default", "beta-1", "refuses the connection")
        await hand.until(lambda: _age(hand) >= 2, "the data age")
        await hand.press("w")
        await hand.sees("refuses the connection", "Data as of ", "UTC.")


def _age(hand: Hand) -> int:
    found = re.search(r"connection lost · data (\d+)s old", hand.lines[0])
    return int(found[1]) if found else 0


async def test_it_comes_back_by_itself_and_rates_do_not_spike(mortal: Mortal) -> None:
    _fill(mortal.start())
    key = QueueKey("alpha.low")
    async with watching(app_on(mortal.url)) as hand:
        await hand.polls()
        await _lose(hand, mortal)
        client = mortal.start()
        _fill(client, processed=500)
        await hand.sees("live · data", "sick:2", "beta.default", "beta-1")
        await hand.polls(1)
        assert not hand.live.rates[key].done_per_s, "a counter that fell tells nothing"
        await _lose(hand, mortal)
        _fill(mortal.start(), processed=560)
        await hand.until(lambda: hand.live.link is ConnectionState.LIVE)
        rate = hand.live.rates[key].done_per_s
        assert rate is None or rate < 70, "a mean over the gap"


async def test_keys_answer_while_the_connection_is_lost(mortal: Mortal) -> None:
    _fill(mortal.start())
    async with watching(app_on(mortal.url)) as hand:
        await _lose(hand, mortal)
        await hand.press("3", "enter")
        await hand.opens("TaskModal")
        await hand.sees("Read failed: Redis at ")
        await hand.press("l", "n", "w", "y", "escape", "1", "enter")
        await hand.sees("Read failed: Redis at ", "breaker open: restart this worker")
        await hand.press("l", "enter")
        await hand.opens("QueueModal")
        await hand.press("escape", "escape", "2", "slash", "a", "enter", "escape", "s", "p")
        await hand.sees("FROZEN since")
        await hand.press("p", "i", "x", "enter")
        await hand.sees("Redis at", "refuses the connection")


async def test_what_could_not_be_read_is_read_on_return(mortal: Mortal) -> None:
    _fill(mortal.start())
    async with watching(app_on(mortal.url)) as hand:
        await _lose(hand, mortal)
        await hand.press("2", "j")
        await hand.until(lambda: hand.queues.selected == QueueKey("alpha.high"))
        await hand.sees("Cannot read tasks: Redis at")
        _fill(mortal.start())
        await hand.until(lambda: keys_of(hand.tasks) == ["high-1", "high-2"])
        assert subtitle(hand.tasks_pane) == ""


def _joined(hand: Hand, title: str) -> str:
    """The text of the window with this title, its wrapped lines joined."""
    corner = f"╭─ {title} ─"
    row, top = next((row, line) for row, line in enumerate(hand.lines) if corner in line)
    left = top.index(corner)
    right = top.index("╮", left)
    below = [line[left:right] for line in hand.lines[row + 1 :]]
    return " ".join(part[1:].strip() for part in takewhile(lambda part: part[0] == "│", below))


async def test_a_first_start_without_a_server(mortal: Mortal) -> None:
    async with running(app_on(mortal.url), (160, 32)) as hand:  # a socket's path may be long
        await hand.sees("✖ no connection", "there is no such socket", "runqy-tui --demo")
        await hand.press("w")
        await hand.sees("╭─ All findings", "RUNQY_REDIS_URL.")
        assert "Start Redis, or set --url or RUNQY_REDIS_URL." in _joined(hand, "All findings")
        await hand.press("escape", "1", "j", "enter", "y", "3", "G", "enter", "s", "l", "z", "z")
        await hand.hears("Nothing selected")
        assert hand.screen is hand.main
        _fill(mortal.start())
        await hand.sees("live · data", "sick:2", "beta.default", "beta-1")
        await hand.misses("--demo")


async def test_a_key_polls_at_once_instead_of_waiting(mortal: Mortal) -> None:
    """The back-off may be long; changing the interval asks now."""
    async with running(app_on(mortal.url)) as hand:
        await hand.until(lambda: hand.live.failures >= 3)
        _fill(mortal.start())
        await hand.press("plus")
        await hand.sees("live · data", "sick:2")


async def test_keys_do_not_wait_for_a_slow_redis(mortal: Mortal) -> None:
    client = mortal.start()
    scenes.small_fleet(client)
    async with watching(app_on(mortal.url)) as hand:
        await hand.until(lambda: keys_of(hand.tasks) == ["beta-1"])
        before = client.info("commandstats")["cmdstat_time"]["calls"]
        mortal.freeze()
        frozen_at = monotonic()
        await hand.settle()
        at = hand.live.received_at
        await hand.press("1", "j", "k", "2", "enter")
        assert type(hand.screen).__name__ == "QueueModal"
        assert hand.live.received_at == at, "all this before Redis answered"
        await hand.until(lambda: monotonic() - frozen_at > 1.5)
        assert hand.live.received_at == at
        mortal.thaw()
        await hand.until(lambda: hand.live.received_at - at > 1.4, "the slow answer")
        polls = client.info("commandstats")["cmdstat_time"]["calls"] - before
        assert polls < 4, "what was missed is not caught up"
        await hand.press("escape")
        await hand.sees("live · data")
    client.close()
