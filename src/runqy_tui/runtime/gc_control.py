"""When Python may look for garbage: not while there is none."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def loading() -> Iterator[None]:
    """Let nothing look for garbage until :func:`loaded`, or until the end of the block.

    While modules are imported and widgets made there is none, and looking took a tenth of the
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
    """Look for garbage from now on, but not among what is there now: that is here to stay."""
    if not gc.isenabled():
        gc.freeze()
        gc.enable()
