"""Garbage collection during start-up: switched off until the first data is shown."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def loading() -> Iterator[None]:
    """Disable garbage collection until :func:`loaded`, or until the end of the block.

    Importing modules and making widgets leaves no garbage, and looking for it took a tenth of the
    time until the monitor shows data.
    """
    usual = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if usual:
            gc.enable()


def loaded() -> None:
    """Enable garbage collection, except of the objects that exist now, which are permanent."""
    if not gc.isenabled():
        gc.freeze()
        gc.enable()
