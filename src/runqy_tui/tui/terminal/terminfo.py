"""What terminfo knows of this terminal."""

from __future__ import annotations

from collections.abc import Mapping


def erases_with_colour(env: Mapping[str, str]) -> bool:
    """Whether erased cells take the background in force (``bce``).

    tmux does so, although its own terminfo entry does not say it; GNU screen does not.
    """
    if env.get("TMUX"):
        return True
    try:
        import curses
    except ImportError:
        return False
    try:
        curses.setupterm(env.get("TERM") or "dumb", 1)
        return bool(curses.tigetflag("bce") == 1)
    except (curses.error, TypeError):
        return False
