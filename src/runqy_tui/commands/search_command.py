"""``runqy-tui search``: prints hits as they are found."""

from __future__ import annotations

import json
import sys
from contextlib import aclosing
from typing import NamedTuple

from runqy_tui.commands.snapshot_command import OpenReader
from runqy_tui.commands.stdout import emit
from runqy_tui.model import JsonObject, QueueKey, Snapshot, TaskState
from runqy_tui.model.errors import NotFoundError
from runqy_tui.model.json_schema import SCHEMA, blob_object
from runqy_tui.model.search_query import (
    SearchField,
    SearchHit,
    SearchProgress,
    SearchQuery,
    summary,
)
from runqy_tui.presentation.resource import DisplayContext, Surface
from runqy_tui.presentation.task_columns import HIT_COLUMNS
from runqy_tui.text.safe import safe_line


class SearchRequest(NamedTuple):
    """What to search for; ``queue`` is a name as typed, ``most`` the maximum number of hits."""

    text: str
    part: SearchField
    queue: str | None
    state: TaskState | None
    ignore_case: bool
    most: int


async def search(open_reader: OpenReader, request: SearchRequest, *, as_json: bool) -> None:
    """Print each hit as it is found, and a summary on standard error.

    Raises:
        NotFoundError: there is no such queue, or no hit.
        OutputError: standard output cannot be written.
    """
    reader = await open_reader()
    progress = SearchProgress()
    try:
        # Lists without braces are in no index: only an overview finds them.
        query = _query(request, await reader.overview())
        async with aclosing(reader.search(query)) as steps:
            async for step in steps:
                progress = step.progress
                for hit in step.hits:
                    emit(json.dumps(hit_object(hit), allow_nan=False) if as_json else hit_line(hit))
    finally:
        await reader.close()
    if not progress.found:
        raise NotFoundError(f"No task contains {safe_line(request.text)!r}: {summary(progress)}.")
    if sys.stderr is not None:
        sys.stderr.write(f"runqy-tui: {safe_line(summary(progress))}\n")


def _query(request: SearchRequest, snapshot: Snapshot) -> SearchQuery:
    return SearchQuery(
        text=request.text,
        part=request.part,
        queues=() if request.queue is None else _queues(request.queue, snapshot),
        states=() if request.state is None else (request.state,),
        ignore_case=request.ignore_case,
        most=request.most,
    )


def _queues(name: str, snapshot: Snapshot) -> tuple[QueueKey, ...]:
    """Queues of this name, with or without braces; ``<name>`` may mean ``<name>.default``."""
    for spelling in (name, f"{name}.default"):
        found = tuple(queue.key for queue in snapshot.queues if queue.name == spelling)
        if found:
            return found
    raise NotFoundError(f"There is no queue {safe_line(name)}. `runqy-tui snapshot` lists them.")


_CONTEXT = DisplayContext(0.0)
"""Hits are printed without ages: a line holds the same whenever it is printed."""


def hit_line(hit: SearchHit) -> str:
    """Return the columns of one hit, separated by tabs; tabs in values become visible pictures."""
    columns = HIT_COLUMNS.columns_on(Surface.TEXT)
    return "\t".join(safe_line(column.document_text(hit, _CONTEXT)) for column in columns)


def hit_object(hit: SearchHit) -> JsonObject:
    """Return the JSON object of one hit; times are unix seconds, unknown values null."""
    row = hit.row
    return {
        "schema": SCHEMA,
        "id": row.id,
        "queue": hit.queue.name,
        "braced": hit.queue.braced,
        "state": row.state,
        "type": row.type,
        "found_in": hit.place,
        "excerpt": hit.excerpt,
        "when": row.when,
        "error": row.error,
        "retried": row.retried,
        "max_retry": row.max_retry,
        "payload": blob_object(row.payload),
    }
