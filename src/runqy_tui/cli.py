"""The command line: arguments only. Each command imports what it needs, when it runs."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from runqy_tui import __version__
from runqy_tui.config import Settings, load_settings
from runqy_tui.errors import ConfigError, OutputError, RunqyTuiError, UsageError

if TYPE_CHECKING:
    from runqy_tui.reader import Reader

LoadSettings = Callable[[], Settings]
Outcome = TypeVar("Outcome")

_URL_HELP = (
    "Redis to watch: redis://, rediss:// or unix://. Default: $RUNQY_REDIS_URL, $REDIS_URL, "
    "runqy's own $REDIS_HOST, $REDIS_PORT, $REDIS_PASSWORD, $REDIS_TLS and $REDIS_DB, "
    "config.toml, or redis://localhost:6379/0. A password is safer in the environment than here."
)


_HANGUP = 129
"""Exit code when the terminal has gone: 128 + SIGHUP."""
_BROKEN_PIPE = 141
"""Exit code when the reader of our output has gone: 128 + SIGPIPE."""


@click.group(
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.option("--url", metavar="URL", help=_URL_HELP)
@click.option("--interval", type=float, metavar="S", help="Seconds between polls. Default: 2.")
@click.option("--timeout", type=float, metavar="S", help="Seconds Redis may take. Default: 3.")
@click.option(
    "--mouse/--no-mouse", default=None, help="Use the mouse, or leave it to the terminal."
)
@click.option("--demo", is_flag=True, help="Watch a simulated fleet on a private server.")
@click.option(
    "--demo-speed",
    type=click.FloatRange(0.1, 100),
    default=1.0,
    show_default=True,
    metavar="N",
    help="How many times faster the demo's story runs.",
)
@click.option("--demo-healthy", is_flag=True, help="A demo in which nothing goes wrong.")
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
    url: str | None,
    interval: float | None,
    timeout: float | None,
    mouse: bool | None,
    demo: bool,
    demo_speed: float,
    demo_healthy: bool,
    redis_server: Path | None,
) -> None:
    """Watch a runqy fleet: workers, queues and tasks, live.

    Without a command it opens the monitor. It only reads: looking never changes anything.
    """
    load = partial(
        load_settings, os.environ, url=url, interval=interval, timeout=timeout, mouse=mouse
    )
    context.obj = load  # called when a command runs: its --help needs no valid settings
    if context.invoked_subcommand is not None:
        if demo:
            raise UsageError("--demo opens the monitor; it does not go with a command.")
        return
    if demo and url is not None:
        raise UsageError("--demo watches its own server: leave out --url, or leave out --demo.")
    if demo_healthy and not demo:
        raise UsageError("--demo-healthy goes with --demo.")
    _require_terminal()
    if demo:
        _run_demo(load(), redis_server, demo_speed, healthy=demo_healthy)
    else:
        _run_app(load())


@cli.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON (schema 1) instead of tables.")
@click.pass_obj
def snapshot(load: LoadSettings, as_json: bool) -> None:
    """Print one overview of workers and queues, and exit."""
    from runqy_tui.oneshot import commands

    settings = load()
    _run(commands.snapshot(lambda: _open(settings), as_json=as_json))


@cli.command()
@click.argument("task_id", metavar="ID")
@click.option("--queue", metavar="Q", help="Look in this queue only.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON (schema 1) instead of text.")
@click.pass_obj
def task(load: LoadSettings, task_id: str, queue: str | None, as_json: bool) -> None:
    """Print one task, found by its id in any queue, and exit (1 if there is none)."""
    from runqy_tui.oneshot import commands

    settings = load()
    _run(commands.task(lambda: _open(settings), task_id, queue, as_json=as_json))


class _Plugin(click.Command):
    """A command whose wrong usage is ``UNKNOWN`` (3): the usual 2 would read as critical."""

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **extra: Any,
    ) -> click.Context:
        as_json = "--json" in args
        try:
            return super().make_context(info_name, args, parent, **extra)
        except click.UsageError as error:
            from runqy_tui.oneshot import check as plugin

            raise SystemExit(plugin.unknown(_usage(error), as_json=as_json)) from None


_RULES_FILE = click.Path(path_type=Path)


@cli.command(cls=_Plugin)
@click.option("--rules", type=_RULES_FILE, metavar="F", help="Rules file. Default: built-in rules.")
@click.option("--for", "watch", metavar="T", help="How long to watch, as in 30s. Default: 2 polls.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON (schema 1) instead of a line.")
@click.pass_obj
def check(load: LoadSettings, rules: Path | None, watch: str | None, as_json: bool) -> None:
    """Evaluate the alert rules once, without a screen, as monitoring plugins do.

    Prints one line and exits with 0 (ok), 1 (warning), 2 (critical) or 3 (unknown: no Redis, no
    access, bad rules, wrong usage). An alert counts if it fires, or if its condition held for as
    long as was watched where that is shorter than its rule's own "for". Failures and slow tasks
    are judged by what happened during the watch: give it some time.
    """
    from runqy_tui.oneshot import check as plugin

    raise SystemExit(_run(plugin.check(load, _open, rules, watch, as_json=as_json)))


@cli.command()
@click.option(
    "--listen",
    default="127.0.0.1:9090",
    show_default=True,
    metavar="HOST:PORT",
    help="Where to serve /metrics and /healthz.",
)
@click.option(
    "--max-series",
    type=click.IntRange(100, 1_000_000),
    default=10_000,
    show_default=True,
    metavar="N",
    help="Leave out the least important series beyond so many.",
)
@click.pass_obj
def metrics(load: LoadSettings, listen: str, max_series: int) -> None:
    """Serve metrics for Prometheus until stopped.

    Polls in the background: a scrape gets the last poll and never waits for Redis. Without Redis
    it goes on, with runqy_up 0 and /healthz saying why, and keeps trying. SIGTERM and SIGINT end
    it with exit code 0.
    """
    from runqy_tui.exporter.listen import parse_listen

    address = parse_listen(listen)
    settings = load()
    from runqy_tui.exporter.run import serve

    _run(serve(lambda: _open(settings), address, settings.interval_s, max_series))


@cli.group()
def rules() -> None:
    """Write, validate and convert alert rules."""


@rules.command("init")
@click.argument("file", type=_RULES_FILE, default="rules.toml")
def rules_init(file: Path) -> None:
    """Write the built-in rules, with comments, to FILE (rules.toml); never over another file."""
    from runqy_tui.oneshot import rulefile

    rulefile.init(file)


@rules.command("check")
@click.argument("file", type=_RULES_FILE)
def rules_check(file: Path) -> None:
    """Validate FILE: exit code 0, or 78 and the line that is wrong."""
    from runqy_tui.oneshot import rulefile

    rulefile.validate(file)


@rules.command("prometheus")
@click.option("--rules", type=_RULES_FILE, metavar="F", help="Rules file. Default: built-in rules.")
def rules_prometheus(rules: Path | None) -> None:
    """Print the rules as a rule file for Prometheus."""
    from runqy_tui.oneshot import rulefile

    rulefile.prometheus(rules)


@rules.command("grafana")
def rules_grafana() -> None:
    """Print a Grafana dashboard of the exported metrics."""
    from runqy_tui.oneshot import rulefile

    rulefile.grafana()


@cli.command()
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    help="Markdown file to make, its JSON beside it; - prints the Markdown. "
    "Default: a new file in this folder.",
)
@click.option("--for", "watch", metavar="TIME", help="Watch for so long, as in 10s. Default: 2s.")
@click.option("--with-payloads", is_flag=True, help="Put example payloads and results in.")
@click.pass_obj
def report(load: LoadSettings, output: str | None, watch: str | None, with_payloads: bool) -> None:
    """Write an incident report: what is wrong, since when, and what to do."""
    from runqy_tui.oneshot.report import report as write

    settings = load()
    _run(write(lambda: _open(settings), output, watch, with_payloads=with_payloads))


async def _open(settings: Settings) -> Reader:
    from runqy_tui.redis.source import open_reader

    try:
        return await open_reader(settings.url, timeout=settings.timeout_s)
    except ConfigError as error:
        raise ConfigError(f"{settings.url_source}: {error}") from None


def _run(work: Coroutine[Any, Any, Outcome]) -> Outcome:
    try:
        with _interruptible():
            return asyncio.run(work)
    except BrokenPipeError:
        # The reader of our output went away, as with `| head`. Click would exit with 1, which
        # here means that there is no such task.
        _drop_output()
        raise SystemExit(_BROKEN_PIPE) from None


@contextmanager
def _interruptible() -> Iterator[None]:
    """Let Ctrl+C end the process at once: there is nothing to tidy up after a question.

    asyncio's own way is to cancel a task, which Python 3.11's ``wait_for`` loses at times. Where
    the parent has SIGINT ignored, it stays so.
    """
    usual = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if usual:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        yield
    finally:
        if usual:
            signal.signal(signal.SIGINT, signal.default_int_handler)


def _require_terminal() -> None:
    for stream, name in ((sys.stdin, "input"), (sys.stdout, "output")):
        if stream is None or not stream.isatty():
            raise UsageError(
                f"The monitor needs a terminal, and standard {name} is none. "
                "For scripts there is: runqy-tui snapshot --json"
            )
    if os.environ.get("TERM", "") in ("", "dumb"):
        raise UsageError(
            f"TERM={os.environ.get('TERM', '')!r} cannot show the monitor. Set TERM (as in "
            "TERM=xterm-256color), or use: runqy-tui snapshot"
        )


def _run_demo(
    settings: Settings, redis_server: Path | None, speed: float, *, healthy: bool
) -> None:
    from dataclasses import replace

    from runqy_tui.demo.run import Demo

    with Demo(redis_server=redis_server, speed=speed, healthy=healthy) as demo:
        _run_app(replace(settings, url=demo.url, url_source="--demo", name="demo"))
        if problem := demo.problem():
            raise RunqyTuiError(f"The demo's simulated fleet ended early: {problem}")


def _run_app(settings: Settings) -> None:
    from runqy_tui.tui.app import RunqyApp

    app = RunqyApp(settings, lambda: _open(settings))
    app.run(mouse=settings.mouse)
    if app.fault is not None:
        from runqy_tui.tui.crash import write_report

        report = write_report(app.fault)
        where = "" if report is None else f" The report is in {report}."
        raise RunqyTuiError(
            f"A fault in runqy-tui itself ended it: {type(app.fault).__name__}.{where}"
        )
    if app.return_code:
        raise SystemExit(app.return_code)


def main() -> None:
    """Entry point: errors become one line on standard error and an exit code."""
    try:
        cli.main(prog_name="runqy-tui", standalone_mode=False)
    except OutputError as error:
        _drop_output()
        _fail(str(error), error.exit_code)
    except RunqyTuiError as error:
        _fail(str(error), error.exit_code)
    except click.ClickException as error:
        _fail(_usage(error), error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(130)
    except BrokenPipeError:
        _drop_output()  # the reader of our output went away, as with `| head`
        sys.exit(_BROKEN_PIPE)
    except SystemExit as leaving:
        if leaving.code == _HANGUP:
            _drop_output()
        raise


def _drop_output() -> None:
    """Nobody reads any more: keep the interpreter's last flush from failing with its own code."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def _usage(error: click.ClickException) -> str:
    """Click's message without the rest of a URL that stands in the wrong place."""
    message = error.format_message()
    text = re.sub(r"://.*", "://…", message, flags=re.DOTALL)
    hint = " A Redis URL goes after --url." if text != message else ""
    context = getattr(error, "ctx", None)
    command = "runqy-tui" if context is None else context.command_path
    return f"{text}{hint} Try: {command} --help"


def _fail(message: str, code: int) -> None:
    from runqy_tui.safetext import safe_line

    text = f"runqy-tui: {safe_line(message)}\n"
    if sys.stderr is not None:
        sys.stderr.write(text)
    sys.exit(code)
