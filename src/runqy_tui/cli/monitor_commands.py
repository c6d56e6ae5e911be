"""Commands for the watch: one verdict, metrics, rules and the report."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from runqy_tui.cli.runner import LoadSettings, open_for, run, usage_text


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
            from runqy_tui.commands import check_command as plugin

            raise SystemExit(plugin.unknown(usage_text(error), as_json=as_json)) from None


_RULES_FILE = click.Path(path_type=Path)


@click.command(cls=_Plugin)
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
    from runqy_tui.commands import check_command as plugin

    raise SystemExit(run(plugin.check(load, open_for, rules, watch, as_json=as_json)))


@click.command()
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
    from runqy_tui.exporter.web_server import parse_listen

    address = parse_listen(listen)
    settings = load()
    from runqy_tui.exporter.service import serve

    run(serve(lambda: open_for(settings), address, settings.interval_s, max_series))


@click.group()
def rules() -> None:
    """Write, validate and convert alert rules."""


@rules.command("init")
@click.argument("file", type=_RULES_FILE, default="rules.toml")
def rules_init(file: Path) -> None:
    """Write the built-in rules, with comments, to FILE (rules.toml); never over another file."""
    from runqy_tui.commands import rules_command

    rules_command.init(file)


@rules.command("check")
@click.argument("file", type=_RULES_FILE)
def rules_check(file: Path) -> None:
    """Validate FILE: exit code 0, or 78 and the line that is wrong."""
    from runqy_tui.commands import rules_command

    rules_command.validate(file)


@rules.command("prometheus")
@click.option("--rules", type=_RULES_FILE, metavar="F", help="Rules file. Default: built-in rules.")
def rules_prometheus(rules: Path | None) -> None:
    """Print the rules as a rule file for Prometheus."""
    from runqy_tui.commands import rules_command

    rules_command.prometheus(rules)


@rules.command("grafana")
def rules_grafana() -> None:
    """Print a Grafana dashboard of the exported metrics."""
    from runqy_tui.commands import rules_command

    rules_command.grafana()


@click.command()
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
    from runqy_tui.commands.report_command import report as write

    settings = load()
    run(write(lambda: open_for(settings), output, watch, with_payloads=with_payloads))
