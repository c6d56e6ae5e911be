"""Commands that diagnose the setup: ACL rules, checks of everything, and the profiles."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import click

from runqy_tui.cli.runner import LoadSettings, naming_source, run
from runqy_tui.config import Settings
from runqy_tui.model.errors import UsageError

if TYPE_CHECKING:
    from runqy_tui.model.check_line import CheckLine

_LONGEST_USER = 64


@click.command()
@click.option(
    "--user", default="runqy-tui", show_default=True, metavar="NAME", help="Name of the user."
)
@click.option(
    "--for",
    "place",
    type=click.Choice(["server", "cluster", "sentinel"]),
    default="server",
    show_default=True,
    help="Where to create the user: on a server, on each node of a cluster, or on each Sentinel.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["setuser", "aclfile"]),
    default="setuser",
    show_default=True,
    help="A command for redis-cli, or a line of redis.conf or its aclfile.",
)
@click.option(
    "--redis",
    "version",
    type=click.Choice(["7", "6.2"]),
    default="7",
    show_default=True,
    help="Oldest version that must accept it. Valkey counts as Redis 7.",
)
def acl(user: str, place: str, form: str, version: str) -> None:
    """Print the ACL rule of a read-only user.

    It grants exactly the commands that this program sends, on keys asynq:*. Replace PASSWORD by
    a password.
    """
    from runqy_tui.commands.stdout import emit
    from runqy_tui.redis.checkup import acl as rules

    if not user or len(user) > _LONGEST_USER or not all("!" <= sign <= "~" for sign in user):
        raise UsageError(f"--user must be 1 to {_LONGEST_USER} ASCII characters without spaces.")
    if any(sign in "\"'" for sign in user):
        raise UsageError("--user must not contain quotes.")
    write = rules.set_user if form == "setuser" else rules.file_line
    emit(write(rules.AclScope(place), legacy=version == "6.2", user=user))


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON (schema 1) instead of lines.")
@click.pass_obj
def doctor(load: LoadSettings, as_json: bool) -> None:
    """Check everything that the monitor needs, line by line, with a fix for each problem.

    Settings, DNS, connection, TLS, authentication, every command, the server and its data, clocks,
    the cost of a poll, the terminal and the packages. Continues after a failure. Exits with 0, or
    with the exit code of the first failure. Never prints a password.
    """
    from runqy_tui.commands import doctor_command

    raise SystemExit(run(doctor_command.doctor(load, _examine, os.environ, as_json=as_json)))


def _examine(settings: Settings) -> AsyncIterator[CheckLine]:
    from runqy_tui.redis.checkup.steps import examine

    with naming_source(settings):
        return examine(
            settings.url,
            access=settings.access,
            timeout=settings.timeout_s,
            interval=settings.interval_s,
            budget=settings.budget,
        )


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON (schema 1) instead of a table.")
@click.pass_context
def profiles(context: click.Context, as_json: bool) -> None:
    """List the profiles of config.toml; * marks the active one. Does not connect to Redis."""
    from runqy_tui.commands import profiles_command
    from runqy_tui.config import config_path, list_profiles
    from runqy_tui.redis.connecting.target import address_of

    flag = None if context.parent is None else context.parent.params.get("profile")
    found = list_profiles(os.environ, flag)
    profiles_command.print_profiles(found, address_of, config_path(os.environ), as_json=as_json)
