"""Feeds mutated seeds to every way in for other people's bytes, and keeps what fails.

    python scripts/fuzz.py --seconds 600

Seeds are the files of ``tests/corpus``; the ways in and what they must hold to are those of
``tests/support/byte_inputs.py``. With atheris, where it is installed, the mutations are guided by
coverage (one way in after the other); without it they are blind, and all take turns. An input that
fails, or takes longer than ``--slow`` seconds, is written to ``--found``: once mended it belongs
into the corpus, under a name that describes it. Exits 1 if there was any.
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
import time
import traceback
from collections import Counter
from hashlib import sha256
from pathlib import Path

ROOT = Path(__file__).parents[1]
CORPUS = ROOT / "tests" / "corpus"
LONGEST = 8_192
TOKENS = (
    b"\x1e", b"\x1b[2J", b"\x1b]52;c;eA==\x07", b"\xff", b"\x00", b"\n", b"map[", b"]", b":",
    b'"', b"\\", b"\\ud800", b"{", b"}", b"[", b"NaN", b"1e999", b"-1", b"0", b"9" * 19,
    b"9" * 4301, b"\xa3\x06", b"\xa4\x06", b"\x12\xff\xff\xff\xff\x0f", b"\xe2\x80\xae",
    b"\xed\xa0\x80",
    b"Traceback (most recent call last):\n", b'  File "x", line 1, in y\n', b"password=", b"://u:p@h",
)  # fmt: skip


def mutate(rng: random.Random, data: bytes, other: bytes) -> bytes:
    """A few random changes: bits, bytes, cuts, repeats, tokens, and pieces of another seed."""
    made = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 3, 5, 8))):
        at = rng.randint(0, len(made))
        until = min(len(made), at + rng.choice((1, 1, 2, 4, 16, 64)))
        match rng.randrange(8):
            case 0 if made:
                made[rng.randrange(len(made))] ^= 1 << rng.randrange(8)
            case 1 if made:
                made[rng.randrange(len(made))] = rng.randrange(256)
            case 2:
                made[at:at] = rng.randbytes(rng.choice((1, 2, 4, 8)))
            case 3:
                del made[at:until]
            case 4:
                made[at:at] = made[at:until] * rng.choice((1, 2, 50))
            case 5:
                made[at:until] = rng.choice(TOKENS)
            case 6:
                start = rng.randint(0, len(other))
                made[at:at] = other[start : start + rng.choice((4, 32, 256))]
            case _:
                del made[at:]
    return bytes(made[:LONGEST])


class Fuzzer:
    """Counts executions and keeps failing inputs, one for each place in code."""

    def __init__(self, found: Path, slow: float) -> None:
        self.executions: Counter[str] = Counter()
        self.failures: dict[str, str] = {}
        self._found = found
        self._slow = slow

    def run(self, name: str, data: bytes) -> None:
        from tests.support.byte_inputs import ENTRIES

        self.executions[name] += 1
        started = time.process_time()
        try:
            ENTRIES[name](data)
        except Exception as error:  # noqa: BLE001 -- whatever it is, it is a finding
            last = traceback.extract_tb(error.__traceback__)[-1]
            place = f"{type(error).__name__} at {Path(last.filename).name}:{last.lineno}"
            self._keep(name, place, data)
        else:
            if time.process_time() - started > self._slow:
                self._keep(name, f"slow, {time.process_time() - started:.1f} s", data)

    def _keep(self, name: str, what: str, data: bytes) -> None:
        key = f"{name}: {what.partition(',')[0]}"
        if key in self.failures:
            return
        folder = self._found / name
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{sha256(data).hexdigest()[:12]}.bin"
        path.write_bytes(data)
        self.failures[key] = f"{name}: {what}: {path}"
        print(self.failures[key], flush=True)


def seeds_of(names: list[str]) -> dict[str, list[bytes]]:
    """The seeds of every way in."""
    return {
        name: [path.read_bytes() for path in sorted((CORPUS / name).glob("*.bin"))]
        for name in names
    }


def blind(fuzzer: Fuzzer, names: list[str], seconds: float, seed: int) -> None:
    """Mutate the seeds, each way in at its turn and for the same time."""
    rng = random.Random(seed)
    seeds = seeds_of(names)
    everything = [data for every in seeds.values() for data in every]
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        for name in names:
            turn = time.monotonic() + 0.05
            while time.monotonic() < turn:
                fuzzer.run(name, mutate(rng, rng.choice(seeds[name]), rng.choice(everything)))


def guided(names: list[str], seconds: float, arguments: argparse.Namespace) -> int:
    """One process per way in, since atheris ends the one in which it runs."""
    share = max(1, int(seconds / len(names)))
    before = set(arguments.found.rglob("*"))
    for name in names:
        command = [sys.executable, __file__, "--guided", name, "--seconds", str(share)]
        command += ["--found", str(arguments.found), "--slow", str(arguments.slow)]
        subprocess.run(command, check=False)
    found = set(arguments.found.rglob("*")) - before
    print(f"{len(found)} findings", *sorted(map(str, found)), sep="\n")
    return 1 if found else 0


def guide(name: str, arguments: argparse.Namespace) -> None:
    """Let atheris drive one way in."""
    import importlib
    import tempfile

    import atheris  # type: ignore[import-untyped]  # optional, and never a dependency

    with atheris.instrument_imports(include=["runqy_tui"]):
        importlib.import_module("tests.support.byte_inputs")
    fuzzer = Fuzzer(arguments.found, arguments.slow)
    with tempfile.TemporaryDirectory() as grown:
        options = [f"-max_total_time={int(arguments.seconds)}", f"-max_len={LONGEST}"]
        options += ["-print_final_stats=1", "-verbosity=0", f"-artifact_prefix={arguments.found}/"]
        atheris.Setup(
            [sys.argv[0], *options, grown, str(CORPUS / name)],
            lambda data: fuzzer.run(name, data),
        )
        atheris.Fuzz()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--entry", action="append", help="only this way in; may be repeated")
    parser.add_argument("--seed", type=int, default=None, help="of the blind mutations")
    parser.add_argument("--blind", action="store_true", help="without atheris")
    parser.add_argument("--slow", type=float, default=2.0, help="seconds of CPU that are too many")
    parser.add_argument("--found", type=Path, default=Path("fuzz-found"))
    parser.add_argument("--guided", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    sys.path.insert(0, str(ROOT))
    arguments.found.mkdir(parents=True, exist_ok=True)
    if arguments.guided:
        guide(arguments.guided, arguments)
        return 0
    from tests.support.byte_inputs import ENTRIES

    names = arguments.entry or list(ENTRIES)
    if not arguments.blind and has_atheris():
        return guided(names, arguments.seconds, arguments)
    seed = arguments.seed if arguments.seed is not None else random.SystemRandom().randrange(2**32)
    print(f"blind mutation, --seed {seed}", flush=True)
    fuzzer = Fuzzer(arguments.found, arguments.slow)
    blind(fuzzer, names, arguments.seconds, seed)
    for name, count in fuzzer.executions.items():
        print(f"{name:<16} {count:>9,}")
    print(f"{sum(fuzzer.executions.values()):,} executions, {len(fuzzer.failures)} findings")
    return 1 if fuzzer.failures else 0


def has_atheris() -> bool:
    """Whether the guided fuzzer is installed."""
    from importlib.util import find_spec

    return find_spec("atheris") is not None


if __name__ == "__main__":
    sys.exit(main())
