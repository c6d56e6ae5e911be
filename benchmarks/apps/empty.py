"""A Textual application with one line of text: ``python -m benchmarks.apps.empty [--redis]``."""

from __future__ import annotations

import sys

from textual.app import App, ComposeResult
from textual.widgets import Static


class Empty(App[None]):
    """As little as can be seen."""

    def compose(self) -> ComposeResult:
        """One line: an empty screen would not show that the program has started."""
        yield Static("An empty Textual application")


if __name__ == "__main__":
    if "--redis" in sys.argv:
        import redis.asyncio  # noqa: F401 -- loaded, to weigh it
    Empty().run()
