"""One soak, from start to verdict."""

from __future__ import annotations

import asyncio
import json
import os
import select
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from random import Random
from time import monotonic, strftime
from typing import Any

from benchmarks.soak import samples as proc
from benchmarks.soak.hands import Hands
from benchmarks.soak.samples import Sample
from benchmarks.soak.screen import Screen
from benchmarks.soak.stage import Stage
from benchmarks.soak.verdict import Check, judge
from benchmarks.soak.watched import PLANTED, TRACE

INTERVAL_S = 2.0
CALM_AFTER_S = 15.0
"""After a fault of 12 s, the longest, the monitor may take so long until it polls again."""
ANSWER_S = 10.0
HUNG = 3
"""So many keys in turn without an answer end the soak: nothing more is to be learnt."""
_LEAVE_S = 30.0
_ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Plan:
    """How long, how fast, how rough. Seconds; ``fault_every_s`` is a mean.

    ``enough``: samples after the warm-up to stop at. ``gestures``: those to play, all where there
    are none. ``leak``: leak on purpose.
    """

    seconds: float = 7_200.0
    speed: float = 50.0
    seed: int = 1
    sample_every_s: float = 10.0
    settle_s: float = 0.5
    fault_every_s: float = 40.0
    warm_s: float = 60.0
    trace: int = 0
    leak: bool = False
    enough: int | None = None
    idle_s: float = 0.5
    gestures: tuple[str, ...] = ()


@dataclass(slots=True)
class Outcome:
    """What came of it."""

    plan: Plan
    checks: list[Check] = field(default_factory=list)
    samples: list[Sample] = field(default_factory=list)
    events: list[tuple[float, str]] = field(default_factory=list)
    gestures: list[tuple[float, str]] = field(default_factory=list)
    types: list[tuple[float, dict[str, int]]] = field(default_factory=list)
    slowest_answer_s: float = 0.0
    absences: int = 0
    warm_s: float = 0.0

    @property
    def ok(self) -> bool:
        """Whether all held."""
        return bool(self.checks) and all(check.ok for check in self.checks)

    def as_json(self) -> dict[str, Any]:
        """All of it."""
        return asdict(self) | {"ok": self.ok}


class Soak:
    """The monitor, its stage and its operator for as long as planned."""

    def __init__(self, plan: Plan, say: Callable[[str], None]) -> None:
        self.outcome = Outcome(plan)
        self._plan = plan
        self._say = say
        self._stage = Stage(plan.speed, Random(f"{plan.seed} stage"))
        self._screen = Screen()
        rng = Random(f"{plan.seed} hands")
        self._hands = Hands(self._screen, rng, self._stage.known_id)
        self._began = monotonic()
        self._rough_until = 0.0
        self._rough_since_sample = False
        self._unanswered = 0
        self._silent = 0

    @property
    def now(self) -> float:
        """Seconds since the monitor was started."""
        return monotonic() - self._began

    async def run(self) -> Outcome:
        """Soak; whatever was started is stopped in the end."""
        with tempfile.TemporaryDirectory(prefix="runqy-tui-soak-") as folder:
            home = Path(folder)
            await self._stage.open()
            ask, tell = _spawn(self._screen, self._stage.url, home, self._plan)
            try:
                self._began = monotonic()
                await asyncio.sleep(2.0)
                faults = asyncio.create_task(self._injure())
                try:
                    await self._operate(ask, tell)
                finally:
                    faults.cancel()
                    await asyncio.gather(faults, return_exceptions=True)
                await self._judge(home)
            finally:
                os.close(ask)
                os.close(tell)
                self._screen.close()
                await self._stage.close()
        return self.outcome

    # What happens

    async def _injure(self) -> None:
        """Faults in random order, each kind as often as the others."""
        rng = self._stage.rng
        for name in _in_turn(list(self._stage.faults), rng):
            await asyncio.sleep(rng.uniform(0.5, 1.5) * self._plan.fault_every_s)
            self._note(name)
            self._rough_until = float("inf")
            try:
                await self._stage.faults[name]()
                if await self._stage.mend():
                    self._note("the fleet had ended and was started anew")
            finally:
                self._rough_until = self.now + CALM_AFTER_S

    async def _operate(self, ask: int, tell: int) -> None:
        names = list(self._plan.gestures or self._hands.gestures)
        due, turns = self._plan.sample_every_s, _in_turn(names, self._hands.rng)
        while self._goes_on() and self._screen.process.poll() is None and self._silent < HUNG:
            name, absences = next(turns), self._hands.absences
            self.outcome.gestures.append((round(self.now, 1), name))
            await self._hands.play(name)
            if name == "interval" or self._hands.absences > absences:
                self._rough_since_sample = True
            if len(self.outcome.gestures) == len(names):
                self.outcome.warm_s = max(self.now, self._plan.warm_s)
            self._rough_since_sample |= self.now < self._rough_until
            if self.now >= due:
                due = self.now + self._plan.sample_every_s
                await self._sample(ask, tell)
            await asyncio.sleep(self._hands.rng.uniform(0.0, self._plan.idle_s))

    def _goes_on(self) -> bool:
        warm_s, enough = self.outcome.warm_s, self._plan.enough
        if enough is not None and warm_s:
            return sum(one.at >= warm_s for one in self.outcome.samples) < enough
        return self.now < self._plan.seconds

    async def _sample(self, ask: int, tell: int) -> None:
        await self._hands.bring_back()
        answered = await self._screen.answers("\x0c", ANSWER_S)
        if answered is None and await self._hands.bring_back():
            answered = await self._screen.answers("\x0c", ANSWER_S)
        if answered is None:
            self._unanswered += 1
            self._silent += 1
            self._note("no answer to a key")
            self._screen.process.send_signal(signal.SIGUSR1)
        else:
            self._silent = 0
            self.outcome.slowest_answer_s = max(self.outcome.slowest_answer_s, answered)
        await asyncio.sleep(self._plan.settle_s)
        try:
            held = await asyncio.to_thread(_ask, ask, tell, b"t" if self._plan.trace else b".")
            sample = self._measure(held)
        except (OSError, ValueError):
            return  # it has ended; the verdict says so
        self._rough_since_sample = False
        self.outcome.samples.append(sample)
        self._keep(held)
        self._say(
            f"{sample.at:6.0f} s  {sample.rss / 1024 / 1024:6.1f} MiB  {sample.tasks} tasks"
            f"  {sample.threads} threads  {sample.fds} fds  {sample.sockets} sockets"
            f"  {sample.objects} objects  {sample.screens} screens  {sample.cpu_s:.0f} s cpu"
            f"  {sample.polls} polls"
        )

    def _keep(self, held: dict[str, Any]) -> None:
        """Types now and then: they tell what grows."""
        if not self.outcome.types or self.now - self.outcome.types[-1][0] > self._plan.seconds / 20:
            self.outcome.types.append((round(self.now, 1), held["types"]))
            for line, where in zip(held.get("grown", ()), held.get("where", ()), strict=True):
                self._say("\n".join([line, *where]))

    def _measure(self, held: dict[str, Any]) -> Sample:
        pid = self._screen.process.pid
        fds, sockets = proc.descriptors(pid)
        return Sample(
            at=round(self.now, 2),
            rss=proc.resident(pid),
            threads=proc.threads(pid),
            fds=fds,
            sockets=sockets,
            cpu_s=proc.cpu(pid),
            tasks=held["tasks"],
            objects=held["objects"],
            screens=held["screens"],
            polls=self._stage.relay.polls,
            connects=self._stage.relay.connects,
            calm=not self._rough_since_sample,
        )

    def _note(self, what: str) -> None:
        self.outcome.events.append((round(self.now, 1), what))
        self._say(f"{self.now:6.0f} s  {what}")

    # The end

    async def _judge(self, home: Path) -> None:
        outcome, screen = self.outcome, self._screen
        alive = screen.process.poll() is None
        self._say(f"last: {', '.join(name for _, name in outcome.gestures[-3:])}")
        code = await self._leave()
        outcome.absences = self._hands.absences
        warm_s = outcome.warm_s or self._plan.warm_s
        said, crashes = await asyncio.to_thread(_left_behind, home)
        outcome.checks = [
            *judge(outcome.samples, warm_s, INTERVAL_S),
            Check("answers", not self._unanswered, f"slowest {outcome.slowest_answer_s:.2f} s"),
            Check("alive to the end", alive, f"{self.now:.0f} s"),
            Check("exit code", code == 0, str(code)),
            Check("terminal restored", not screen.wrong, ", ".join(screen.wrong) or "yes"),
            Check("nothing on stderr", not said, said[-5_000:] or "nothing"),
            Check("no crash report", not crashes, "\n".join(crashes) or "none"),
        ]

    async def _leave(self) -> int | None:
        await self._hands.bring_back()
        await self._hands.rest()
        await self._screen.type("q")
        try:
            code = await asyncio.to_thread(self._screen.process.wait, _LEAVE_S)
        except Exception as error:  # noqa: BLE001 -- the verdict tells it
            self._note(f"did not leave: {error}")
            code = None
        self._screen.drain()
        return code


def _spawn(screen: Screen, url: str, home: Path, plan: Plan) -> tuple[int, int]:
    """Start the monitor; gives where to ask and where it tells."""
    theirs, ask = os.pipe()
    tell, out = os.pipe()
    env = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "TERM": "xterm-256color",
        "PYTHONPATH": os.pathsep.join(filter(None, [str(_ROOT), os.environ.get("PYTHONPATH")])),
        TRACE: str(plan.trace),
        PLANTED: "yes" if plan.leak else "",
    }
    work = home / "work"
    work.mkdir()
    command = [sys.executable, "-m", "benchmarks.soak.watched", str(theirs), str(out)]
    try:
        screen.spawn(
            [*command, "--url", url, "--interval", f"{INTERVAL_S:g}"],
            env,
            work,
            home / "stderr",
            pass_fds=(theirs, out),
        )
    finally:
        os.close(theirs)
        os.close(out)
    return ask, tell


def _left_behind(home: Path) -> tuple[str, list[str]]:
    """What it said on standard error, and its crash reports."""
    said = (home / "stderr").read_text(errors="replace").strip()
    reports = [path.read_text(errors="replace") for path in home.rglob("crash-*")]
    return said, [f"{text[:3_000]}…{text[-3_000:]}" for text in reports]


def _ask(ask: int, tell: int, word: bytes) -> dict[str, Any]:
    os.write(ask, word)
    data = b""
    while not data.endswith(b"\n"):
        if not select.select([tell], [], [], 60.0)[0]:
            raise OSError("it does not tell")
        chunk = os.read(tell, 65_536)
        if not chunk:
            raise OSError("it has ended")
        data += chunk
    told: dict[str, Any] = json.loads(data)
    return told


def _in_turn(names: list[str], rng: Random) -> Iterator[str]:
    """All names in a random order, then all in another, without end."""
    while True:
        yield from rng.sample(names, len(names))


def shown(outcome: Outcome) -> str:
    """The verdict as text."""
    lines = [
        f"{'ok  ' if check.ok else 'FAIL'}  {check.name}: {check.detail}"
        for check in outcome.checks
    ]
    faults = Counter(what for _, what in outcome.events)
    lines.append(f"faults: {', '.join(f'{n} {what}' for what, n in sorted(faults.items()))}")
    lines.append(f"gestures: {len(outcome.gestures)}; suspended {outcome.absences} times")
    if outcome.samples:
        last = outcome.samples[-1]
        lines.append(f"processor: {last.cpu_s / last.at:.1%} of one; {last.connects} connections")
    return "\n".join(lines)


def log_line(text: str) -> None:
    """A line with the time of day, at once."""
    sys.stderr.write(f"{strftime('%H:%M:%S')} {text}\n")
    sys.stderr.flush()
