"""Commands for monitoring: check, metrics, rules and report."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from runqy_tui.cli.runner import LoadSettings, open_for, run, usage_text


class _Plugin(click.Command):
    """A command whose usage errors exit with ``UNKNOWN`` (3): 2 would mean critical."""

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
            from runqy_tui.commands import check_command

            raise SystemExit(check_command.unknown(usage_text(error), as_json=as_json)) from None


_RULES_FILE = click.Path(path_type=Path)


@click.command(cls=_Plugin)
@click.option("--rules", type=_RULES_FILE, metavar="F", help="Rules file. Default: built-in rules.")
@click.option(
    "--for", "watch", metavar="T", help="How long to observe, as in 30s. Default: 2 polls."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON (schema 1) instead of a line.")
@click.pass_obj
def check(load: LoadSettings, rules: Path | None, watch: str | None, as_json: bool) -> None:
    """Evaluate the alert rules once, as a monitoring plugin.

    Prints one line and exits with 0 (ok), 1 (warning), 2 (critical) or 3 (unknown: no Redis, no
    access, invalid rules, usage error). An alert counts if it fires, or if its condition held
    during the whole observation where that is shorter than its rule's "for". Failure rates and
    slow tasks are evaluated over the observation only: use a longer --for.
    """
    from runqy_tui.commands import check_command

    raise SystemExit(run(check_command.check(load, open_for, rules, watch, as_json=as_json)))


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
    help="Maximum number of series; the least important ones beyond are dropped.",
)
@click.pass_obj
def metrics(load: LoadSettings, listen: str, max_series: int) -> None:
    """Serve metrics for Prometheus until stopped.

    Polls in the background: a scrape returns the last poll and never waits for Redis. While Redis
    is unavailable it retries, with runqy_up 0 and the reason in /healthz. SIGTERM and SIGINT stop
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
    """Write the built-in rules, with comments, to FILE (rules.toml); refuses to overwrite."""
    from runqy_tui.commands import rules_command

    rules_command.init(file)


@rules.command("check")
@click.argument("file", type=_RULES_FILE)
def rules_check(file: Path) -> None:
    """Validate FILE: exit code 0, or 78 and the line of the error."""
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
    help="Markdown file to create, with its JSON beside it; - prints the Markdown. "
    "Default: a new file in this folder.",
)
@click.option("--for", "watch", metavar="TIME", help="How long to observe, as in 10s. Default: 2s.")
@click.option("--with-payloads", is_flag=True, help="Include example payloads and results.")
@click.pass_obj
def report(load: LoadSettings, output: str | None, watch: str | None, with_payloads: bool) -> None:
    """Write an incident report: what is wrong, since when, and what to do."""
    from runqy_tui.commands import report_command

    settings = load()
    run(
        report_command.report(
            lambda: open_for(settings), output, watch, with_payloads=with_payloads
        )
    )
