"""``runqy-tui`` and ``python -m runqy_tui``."""

from __future__ import annotations

from runqy_tui.runtime.gc_control import loading


def main() -> None:
    """Entry point."""
    with loading():
        from runqy_tui.cli import main as command_line  # among what is loaded, and much of it

        command_line()


if __name__ == "__main__":
    main()
