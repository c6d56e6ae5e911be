"""Connecting once: what it sees, or the one line that says why it cannot."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Callable
from time import monotonic
from typing import Any

import pytest

from runqy_tui.model import Snapshot
from runqy_tui.model.credentials import Credentials
from runqy_tui.model.errors import RunqyTuiError
from runqy_tui.redis.reader import RedisReader, open_reader

SECRET = "s3cr3t"


async def seen(url: str, **access: Any) -> Snapshot:
    """One overview."""
    reader = await open_reader(url, access=Credentials(**access), timeout=2.0)
    try:
        return await reader.overview()
    finally:
        await reader.close()


async def refusal(url: str, kind: type[RunqyTuiError], patience: float = 2.0, **access: Any) -> str:
    """The error of one overview: of this kind, one line, and without the secret."""
    reader = await open_reader(url, access=Credentials(**access), timeout=patience)
    with pytest.raises(kind) as caught:
        await reader.overview()
    await reader.close()
    text = str(caught.value)
    printed = traceback.format_exception(caught.value)
    assert SECRET not in "".join(printed).replace(url, "")
    assert "\n" not in text
    return text


async def until(
    reader: RedisReader, holds: Callable[[Snapshot], bool], deadline: float = 20.0
) -> tuple[Snapshot, list[str], float]:
    """Poll until it holds: that snapshot, the errors on the way, and the seconds it took."""
    started, errors = monotonic(), []
    while monotonic() - started < deadline:
        try:
            snapshot = await reader.overview()
        except RunqyTuiError as error:
            errors.append(str(error))
        else:
            if holds(snapshot):
                return snapshot, errors, monotonic() - started
        await asyncio.sleep(0.05)
    raise AssertionError(f"it did not hold within {deadline:g} s: {errors[-3:]}")
