"""Two hours of the monitor on a demo at 50 times its speed, with random faults.

    python -m benchmarks.soak [--seconds 7200] [--seed 1] [--speed 50] [--json FILE] [--trace N]

Starts a server, the demo's fleet and the monitor on a pseudo-terminal, types and clicks without a
pause, and injects faults into server and link. It measures the monitor every ten seconds, and
checks at the end whether it grew, polled at its interval, and restored the terminal.
Needs Linux. ``--seconds 300`` is the short form. Exits with 1 if a check failed.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from pathlib import Path

from benchmarks.soak.soak_run import Plan, Soak, as_text, log_line


def main() -> int:
    """Run, print the checks, and write all figures to the file of ``--json``."""
    usage = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    usage.add_argument("--seconds", type=float, default=7_200.0)
    usage.add_argument("--speed", type=float, default=50.0)
    usage.add_argument("--seed", type=int, default=1)
    usage.add_argument("--json", type=Path, metavar="FILE", help="all figures")
    usage.add_argument("--trace", type=int, default=0, metavar="N", help="trace memory, N frames")
    usage.add_argument("--quiet", action="store_true", help="print the checks only")
    options = usage.parse_args()
    long = options.seconds > 600
    plan = Plan(
        seconds=options.seconds,
        speed=options.speed,
        seed=options.seed,
        sample_every_s=10.0 if long else 5.0,
        fault_every_s=45.0 if long else 30.0,
        warm_s=max(120.0, options.seconds / 10),
        trace=options.trace,
    )

    async def soak() -> int:
        outcome = await Soak(plan, (lambda _: None) if options.quiet else log_line).run()
        sys.stdout.write(as_text(outcome) + "\n")
        if options.json is not None:
            options.json.write_text(json.dumps(outcome.as_json()), encoding="utf-8")
        return 0 if outcome.ok else 1

    return asyncio.run(soak())


if __name__ == "__main__":
    sys.exit(main())
