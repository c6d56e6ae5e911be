"""Arguments of ``runqy-tui search``."""

from __future__ import annotations

import click

from runqy_tui.cli.runner import LoadSettings, open_for, run
from runqy_tui.model.errors import UsageError

# As in runqy_tui.model; importing it would slow down the start of every command.
STATES = ("pending", "active", "scheduled", "retry", "archived", "completed", "aggregating")
PARTS = ("any", "payload", "error", "type", "result", "headers", "id")
MOST = 10_000


@click.command()
@click.argument("text")
@click.option("--queue", metavar="Q", help="Search this queue only. Default: all.")
@click.option("--state", type=click.Choice(STATES), help="Default: all.")
@click.option(
    "--in",
    "part",
    type=click.Choice(PARTS),
    default="any",
    show_default=True,
    help="Part of a task to search. An id is matched from its start.",
)
@click.option("-i", "--ignore-case", is_flag=True, help="Ignore case, of ASCII letters.")
@click.option(
    "--limit",
    type=click.IntRange(1, 1_000_000),
    default=MOST,
    show_default=True,
    metavar="N",
    help="Stop after this many hits.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object (schema 1) a line.")
@click.pass_obj
def search(
    load: LoadSettings,
    text: str,
    queue: str | None,
    state: str | None,
    part: str,
    ignore_case: bool,
    limit: int,
    as_json: bool,
) -> None:
    """Print the tasks that contain TEXT, one per line, as they are found (exit code 1: none).

    Columns are separated by tabs: id, queue, state, part of the task, and the text around the
    match. Statistics go to standard error. Redis is not blocked: it is read in small steps. Values
    over 64 KiB are searched in part, and those over 512 KiB not at all.
    """
    if not text:
        raise UsageError("The text to search for is empty. Try: runqy-tui search TEXT")
    settings = load()
    from runqy_tui.commands import search_command
    from runqy_tui.model import TaskState
    from runqy_tui.model.search_query import SearchField

    request = search_command.SearchRequest(
        text=text,
        part=SearchField(part),
        queue=queue,
        state=None if state is None else TaskState(state),
        ignore_case=ignore_case,
        most=limit,
    )
    run(search_command.search(lambda: open_for(settings), request, as_json=as_json))
