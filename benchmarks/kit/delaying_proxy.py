"""A proxy with a round trip time: ``python -m benchmarks.kit.delaying_proxy PORT ROUND_TRIP_MS``.

Prints the port of a proxy that delays both directions by half the round trip, and ends with its
standard input.
"""

from __future__ import annotations

import sys

from tests.support.proxy import Proxy, Way


def main() -> None:
    """Run until standard input is closed."""
    port, half_s = int(sys.argv[1]), float(sys.argv[2]) / 2_000
    with Proxy(port, up=Way(delay_s=half_s), down=Way(delay_s=half_s)) as proxy:
        sys.stdout.write(f"{proxy.port}\n")
        sys.stdout.flush()
        sys.stdin.read()


if __name__ == "__main__":
    main()
