"""Answers that come for a window after it was closed: they have nowhere to go, and do no harm."""

from __future__ import annotations

from traceback import walk_tb

from textual.app import App
from textual.css.query import NoMatches
from textual.dom import DOMNode
from textual.screen import Screen
from textual.worker import WorkerFailed


def is_stray(error: BaseException, open_screens: list[Screen[object]]) -> bool:
    """Whether nothing went wrong but that the widgets of a closed window are gone.

    So it is where all that took part in it, by the traceback, was of windows that are not among
    the open ones. Textual's own palette is one that looks for its widgets without asking.
    """
    cause = error.error if isinstance(error, WorkerFailed) else error
    if not isinstance(cause, NoMatches):
        return False
    owners = [frame.f_locals.get("self") for frame, _ in walk_tb(cause.__traceback__)]
    nodes = [owner for owner in owners if isinstance(owner, DOMNode)]
    return bool(nodes) and not any(_is_open(node, open_screens) for node in nodes)


def _is_open(node: DOMNode, open_screens: list[Screen[object]]) -> bool:
    """Whether it is part of an open window, or the app itself."""
    above = node.ancestors_with_self
    screens = [one for one in above if isinstance(one, Screen)]
    return screens[0] in open_screens if screens else isinstance(above[-1], App)
