"""The command line: arguments only. A command imports what it needs when it runs."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import click

from runqy_tui import __version__
from runqy_tui.cli.diagnostic_commands import acl, doctor, profiles
from runqy_tui.cli.monitor_commands import check, metrics, report, rules
from runqy_tui.cli.options import server_flag, settings_loader, settings_options
from runqy_tui.cli.query_commands import search
from runqy_tui.cli.runner import (
    BROKEN_PIPE,
    LoadSettings,
    drop_output,
    open_for,
    run,
    usage_text,
)
from runqy_tui.config import Settings
from runqy_tui.model.errors import OutputError, RunqyTuiError, UsageError

_HANGUP = 129
"""Exit code when the terminal has closed: 128 + SIGHUP."""


@click.group(
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@settings_options
@click.option("--demo", is_flag=True, help="Monitor a simulated fleet on a private server.")
@click.option(
    "--demo-speed",
    type=click.FloatRange(0.1, 100),
    default=1.0,
    show_default=True,
    metavar="N",
    help="Speed of the demo's scenario, as a factor.",
)
@click.option("--demo-healthy", is_flag=True, help="Demo without failures.")
@click.option(
    "--redis-server",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="PATH",
    help="Server program for --demo.",
)
@click.version_option(__version__, prog_name="runqy-tui")
@click.pass_context
def cli(
    context: click.Context,
    /,
    demo: bool,
    demo_speed: float,
    demo_healthy: bool,
    redis_server: Path | None,
    **given: Any,
) -> None:
    """Monitor a runqy fleet: workers, queues and tasks, live.

    Without a command it opens the monitor. It only reads: it never writes to Redis.
    """
    load = settings_loader(given)
    context.obj = load  # called when a command runs: --help must work without valid settings
    if context.invoked_subcommand is not None:
        if demo:
            raise UsageError("--demo opens the monitor; it cannot be combined with a command.")
        return
    if demo and (flag := server_flag(given)):
        raise UsageError(f"--demo uses its own server: remove {flag} or --demo.")
    if demo_healthy and not demo:
        raise UsageError("--demo-healthy requires --demo.")
    _require_terminal()
    if demo:
        _run_demo(load(connect=False), redis_server, demo_speed, healthy=demo_healthy)
    else:
        _run_app(load())


@cli.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON (schema 1) instead of tables.")
@click.pass_obj
def snapshot(load: LoadSettings, as_json: bool) -> None:
    """Print one overview of workers and queues, and exit."""
    from runqy_tui.commands import snapshot_command

    settings = load()
    run(snapshot_command.snapshot(lambda: open_for(settings), as_json=as_json, name=settings.name))


@cli.command()
@click.argument("task_id", metavar="ID")
@click.option("--queue", metavar="Q", help="Search only this queue.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON (schema 1) instead of text.")
@click.pass_obj
def task(load: LoadSettings, task_id: str, queue: str | None, as_json: bool) -> None:
    """Print one task, found by its id in any queue, and exit (1 if not found)."""
    from runqy_tui.commands import snapshot_command

    settings = load()
    run(snapshot_command.task(lambda: open_for(settings), task_id, queue, as_json=as_json))


for _command in (search, check, report, metrics, rules, profiles, acl, doctor):
    cli.add_command(_command)


def _require_terminal() -> None:
    from runqy_tui.text.terminal_encoding import BLIND_TERMS

    for stream, name in ((sys.stdin, "input"), (sys.stdout, "output")):
        if stream is None or not stream.isatty():
            raise UsageError(
                f"The monitor needs a terminal, and standard {name} is not one. "
                "In scripts, use: runqy-tui snapshot --json"
            )
    if os.environ.get("TERM", "") in BLIND_TERMS:
        raise UsageError(
            f"TERM={os.environ.get('TERM', '')!r} cannot show the monitor. Set TERM (as in "
            "TERM=xterm-256color), or use: runqy-tui snapshot"
        )


def _run_demo(
    settings: Settings, redis_server: Path | None, speed: float, *, healthy: bool
) -> None:
    from dataclasses import replace

    from runqy_tui.demo.demo_run import DemoRun

    with DemoRun(redis_server=redis_server, speed=speed, healthy=healthy) as demo:
        _run_app(replace(settings, url=demo.url, url_source="--demo", name="demo"))
        if problem := demo.problem():
            raise RunqyTuiError(f"The demo's simulated fleet ended early: {problem}")


def _run_app(settings: Settings) -> None:
    from runqy_tui.alerts.rule_file import load_rules
    from runqy_tui.tui.app import RunqyApp

    rules = None if settings.rules is None else load_rules(settings.rules)
    app = RunqyApp(settings, lambda: open_for(settings, budget=settings.budget), rules)
    app.run(mouse=settings.mouse)
    if app.fault is not None:
        from runqy_tui.tui.crash_report import write_report

        report = write_report(app.fault)
        where = "" if report is None else f" The report is in {report}."
        raise RunqyTuiError(f"Internal error in runqy-tui: {type(app.fault).__name__}.{where}")
    if app.return_code:
        raise SystemExit(app.return_code)


def main() -> None:
    """Run a command: errors become one line on standard error and an exit code."""
    try:
        cli.main(prog_name="runqy-tui", standalone_mode=False)
    except OutputError as error:
        drop_output()
        _fail(str(error), error.exit_code)
    except RunqyTuiError as error:
        _fail(str(error), error.exit_code)
    except click.ClickException as error:
        _fail(usage_text(error), error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(130)
    except BrokenPipeError:
        drop_output()  # the reader of the output has closed it, as with `| head`
        sys.exit(BROKEN_PIPE)
    except SystemExit as leaving:
        if leaving.code == _HANGUP:
            drop_output()
        raise


def _fail(message: str, code: int) -> None:
    from runqy_tui.text.safe import safe_line

    text = f"runqy-tui: {safe_line(message)}\n"
    if sys.stderr is not None:
        sys.stderr.write(text)
    sys.exit(code)
