"""One soak, from the start to the checks."""

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
from benchmarks.soak.checks import Check, evaluate_samples
from benchmarks.soak.environment import SoakEnvironment
from benchmarks.soak.gestures import Operator
from benchmarks.soak.instrumented_monitor import LEAK, TRACE_FRAMES
from benchmarks.soak.samples import Sample
from benchmarks.soak.soak_terminal import SoakTerminal

INTERVAL_S = 2.0
CALM_AFTER_S = 15.0
"""Seconds after a fault (of 12 s at most) until polls are expected again."""
ANSWER_S = 10.0
MOST_UNANSWERED = 3
"""Consecutive keys without an answer after which the soak ends."""
_LEAVE_S = 30.0
_ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Plan:
    """Duration, speed and faults; seconds.

    Attributes:
        fault_every_s: mean time between faults.
        enough: samples after the warm-up at which to stop.
        gestures: names of the gestures to use; all if empty.
        leak: leak on purpose.
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
    """The result."""

    plan: Plan
    checks: list[Check] = field(default_factory=list)
    samples: list[Sample] = field(default_factory=list)
    events: list[tuple[float, str]] = field(default_factory=list)
    gestures: list[tuple[float, str]] = field(default_factory=list)
    types: list[tuple[float, dict[str, int]]] = field(default_factory=list)
    slowest_answer_s: float = 0.0
    suspensions: int = 0
    warm_s: float = 0.0

    @property
    def ok(self) -> bool:
        """Whether all checks passed."""
        return bool(self.checks) and all(check.ok for check in self.checks)

    def as_json(self) -> dict[str, Any]:
        """Everything, for ``--json``."""
        return asdict(self) | {"ok": self.ok}


class Soak:
    """The monitor, its environment and its operator."""

    def __init__(self, plan: Plan, log_progress: Callable[[str], None]) -> None:
        self.outcome = Outcome(plan)
        self._plan = plan
        self._log = log_progress
        self._environment = SoakEnvironment(plan.speed, Random(f"{plan.seed} environment"))
        self._screen = SoakTerminal()
        rng = Random(f"{plan.seed} operator")
        self._operator = Operator(self._screen, rng, self._environment.known_id)
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
        """Run the plan; everything that was started is stopped at the end."""
        with tempfile.TemporaryDirectory(prefix="runqy-tui-soak-") as folder:
            home = Path(folder)
            await self._environment.open()
            questions, replies = _spawn(self._screen, self._environment.url, home, self._plan)
            try:
                self._began = monotonic()
                await asyncio.sleep(2.0)
                faults = asyncio.create_task(self._inject_faults())
                try:
                    await self._operate(questions, replies)
                finally:
                    faults.cancel()
                    await asyncio.gather(faults, return_exceptions=True)
                await self._evaluate(home)
            finally:
                os.close(questions)
                os.close(replies)
                self._screen.close()
                await self._environment.close()
        return self.outcome

    # What happens

    async def _inject_faults(self) -> None:
        """Faults in random order, each kind as often as the others."""
        rng = self._environment.rng
        for name in _in_turn(list(self._environment.faults), rng):
            await asyncio.sleep(rng.uniform(0.5, 1.5) * self._plan.fault_every_s)
            self._note(name)
            self._rough_until = float("inf")
            try:
                await self._environment.faults[name]()
                if await self._environment.restart_fleet():
                    self._note("the fleet had ended and was restarted")
            finally:
                self._rough_until = self.now + CALM_AFTER_S

    async def _operate(self, questions: int, replies: int) -> None:
        names = list(self._plan.gestures or self._operator.gestures)
        due, turns = self._plan.sample_every_s, _in_turn(names, self._operator.rng)
        while (
            self._continues()
            and self._screen.process.poll() is None
            and self._silent < MOST_UNANSWERED
        ):
            name, suspensions = next(turns), self._operator.suspensions
            self.outcome.gestures.append((round(self.now, 1), name))
            await self._operator.play(name)
            if name == "interval" or self._operator.suspensions > suspensions:
                self._rough_since_sample = True
            if len(self.outcome.gestures) == len(names):
                self.outcome.warm_s = max(self.now, self._plan.warm_s)
            self._rough_since_sample |= self.now < self._rough_until
            if self.now >= due:
                due = self.now + self._plan.sample_every_s
                await self._sample(questions, replies)
            await asyncio.sleep(self._operator.rng.uniform(0.0, self._plan.idle_s))

    def _continues(self) -> bool:
        warm_s, enough = self.outcome.warm_s, self._plan.enough
        if enough is not None and warm_s:
            return sum(one.at >= warm_s for one in self.outcome.samples) < enough
        return self.now < self._plan.seconds

    async def _sample(self, questions: int, replies: int) -> None:
        await self._operator.bring_back()
        answered = await self._screen.answers("\x0c", ANSWER_S)
        if answered is None and await self._operator.bring_back():
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
            held = await asyncio.to_thread(
                _ask, questions, replies, b"t" if self._plan.trace else b"."
            )
            sample = self._measure(held)
        except (OSError, ValueError):
            return  # it has ended, which a check reports
        self._rough_since_sample = False
        self.outcome.samples.append(sample)
        self._keep(held)
        self._log(
            f"{sample.at:6.0f} s  {sample.rss / 1024 / 1024:6.1f} MiB  {sample.tasks} tasks"
            f"  {sample.threads} threads  {sample.fds} fds  {sample.sockets} sockets"
            f"  {sample.objects} objects  {sample.screens} screens  {sample.cpu_s:.0f} s cpu"
            f"  {sample.polls} polls"
        )

    def _keep(self, held: dict[str, Any]) -> None:
        """Keep the counts of types now and then: they show what grows."""
        if not self.outcome.types or self.now - self.outcome.types[-1][0] > self._plan.seconds / 20:
            self.outcome.types.append((round(self.now, 1), held["types"]))
            for line, where in zip(held.get("grown", ()), held.get("where", ()), strict=True):
                self._log("\n".join([line, *where]))

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
            polls=self._environment.relay.polls,
            connects=self._environment.relay.connects,
            calm=not self._rough_since_sample,
        )

    def _note(self, what: str) -> None:
        self.outcome.events.append((round(self.now, 1), what))
        self._log(f"{self.now:6.0f} s  {what}")

    # The end

    async def _evaluate(self, home: Path) -> None:
        outcome, screen = self.outcome, self._screen
        alive = screen.process.poll() is None
        self._log(f"last: {', '.join(name for _, name in outcome.gestures[-3:])}")
        code = await self._leave()
        outcome.suspensions = self._operator.suspensions
        warm_s = outcome.warm_s or self._plan.warm_s
        output, crashes = await asyncio.to_thread(_left_behind, home)
        differences = screen.differences
        outcome.checks = [
            *evaluate_samples(outcome.samples, warm_s, INTERVAL_S),
            Check("answers", not self._unanswered, f"slowest {outcome.slowest_answer_s:.2f} s"),
            Check("alive to the end", alive, f"{self.now:.0f} s"),
            Check("exit code", code == 0, str(code)),
            Check("terminal restored", not differences, ", ".join(differences) or "yes"),
            Check("nothing on stderr", not output, output[-5_000:] or "nothing"),
            Check("no crash report", not crashes, "\n".join(crashes) or "none"),
        ]

    async def _leave(self) -> int | None:
        await self._operator.bring_back()
        await self._operator.rest()
        await self._screen.type("q")
        try:
            code = await asyncio.to_thread(self._screen.process.wait, _LEAVE_S)
        except Exception as error:  # noqa: BLE001 -- reported by a check
            self._note(f"did not leave: {error}")
            code = None
        self._screen.drain()
        return code


def _spawn(screen: SoakTerminal, url: str, home: Path, plan: Plan) -> tuple[int, int]:
    """Start the monitor; return the descriptors for questions and replies."""
    theirs, questions = os.pipe()
    replies, out = os.pipe()
    env = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "TERM": "xterm-256color",
        "PYTHONPATH": os.pathsep.join(filter(None, [str(_ROOT), os.environ.get("PYTHONPATH")])),
        TRACE_FRAMES: str(plan.trace),
        LEAK: "yes" if plan.leak else "",
    }
    work = home / "work"
    work.mkdir()
    command = [sys.executable, "-m", "benchmarks.soak.instrumented_monitor", str(theirs), str(out)]
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
    return questions, replies


def _left_behind(home: Path) -> tuple[str, list[str]]:
    """What it wrote to standard error, and its crash reports."""
    output = (home / "stderr").read_text(errors="replace").strip()
    reports = [path.read_text(errors="replace") for path in home.rglob("crash-*")]
    return output, [f"{text[:3_000]}…{text[-3_000:]}" for text in reports]


def _ask(questions: int, replies: int, word: bytes) -> dict[str, Any]:
    os.write(questions, word)
    data = b""
    while not data.endswith(b"\n"):
        if not select.select([replies], [], [], 60.0)[0]:
            raise OSError("no reply")
        chunk = os.read(replies, 65_536)
        if not chunk:
            raise OSError("it has ended")
        data += chunk
    reply: dict[str, Any] = json.loads(data)
    return reply


def _in_turn(names: list[str], rng: Random) -> Iterator[str]:
    """All names in a random order, then all in another, without end."""
    while True:
        yield from rng.sample(names, len(names))


def as_text(outcome: Outcome) -> str:
    """The checks as text."""
    lines = [
        f"{'ok  ' if check.ok else 'FAIL'}  {check.name}: {check.detail}"
        for check in outcome.checks
    ]
    faults = Counter(what for _, what in outcome.events)
    lines.append(f"faults: {', '.join(f'{n} {what}' for what, n in sorted(faults.items()))}")
    lines.append(f"gestures: {len(outcome.gestures)}; suspended {outcome.suspensions} times")
    if outcome.samples:
        last = outcome.samples[-1]
        lines.append(f"processor: {last.cpu_s / last.at:.1%} of one; {last.connects} connections")
    return "\n".join(lines)


def log_line(text: str) -> None:
    """A line with the time of day, at once."""
    sys.stderr.write(f"{strftime('%H:%M:%S')} {text}\n")
    sys.stderr.flush()
