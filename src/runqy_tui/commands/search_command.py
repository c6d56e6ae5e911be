"""``runqy-tui search``: prints what is found while it is found."""

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
    """What was asked for; ``queue`` is a name as people type it."""

    text: str
    part: SearchField
    queue: str | None
    state: TaskState | None
    ignore_case: bool
    most: int


async def search(open_reader: OpenReader, wanted: SearchRequest, *, as_json: bool) -> None:
    """Print each hit as it comes, and the outcome on standard error.

    Raises:
        NotFoundError: there is no such queue, or nothing was found.
    """
    reader = await open_reader()
    progress = SearchProgress()
    try:
        # Lists without braces are in no index: an overview is what finds them.
        query = _query(wanted, await reader.overview())
        async with aclosing(reader.search(query)) as steps:
            async for step in steps:
                progress = step.progress
                for hit in step.hits:
                    emit(json.dumps(hit_object(hit), allow_nan=False) if as_json else hit_line(hit))
    finally:
        await reader.close()
    if not progress.found:
        raise NotFoundError(f"No task contains {safe_line(wanted.text)!r}: {summary(progress)}.")
    if sys.stderr is not None:
        sys.stderr.write(f"runqy-tui: {safe_line(summary(progress))}\n")


def _query(wanted: SearchRequest, snapshot: Snapshot) -> SearchQuery:
    return SearchQuery(
        text=wanted.text,
        part=wanted.part,
        queues=() if wanted.queue is None else _queues(wanted.queue, snapshot),
        states=() if wanted.state is None else (wanted.state,),
        ignore_case=wanted.ignore_case,
        most=wanted.most,
    )


def _queues(name: str, snapshot: Snapshot) -> tuple[QueueKey, ...]:
    """The queue in each spelling; for runqy a name without a sub-queue means ``<name>.default``."""
    for wanted in (name, f"{name}.default"):
        found = tuple(queue.key for queue in snapshot.queues if queue.name == wanted)
        if found:
            return found
    raise NotFoundError(f"There is no queue {safe_line(name)}. `runqy-tui snapshot` lists them.")


_CONTEXT = DisplayContext(0.0)
"""Hits are printed without ages: a line holds the same whenever it is printed."""


def hit_line(hit: SearchHit) -> str:
    """Columns of one hit, safe to print: a tab in one of them is a picture."""
    columns = HIT_COLUMNS.columns_on(Surface.TEXT)
    return "\t".join(safe_line(column.document_text(hit, _CONTEXT)) for column in columns)


def hit_object(hit: SearchHit) -> JsonObject:
    """JSON object of one hit: unix seconds, and null for what is unknown."""
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
