"""``runqy-tui profiles``: which profiles there are, and where each of them leads."""

from __future__ import annotations

import os

import click


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON (schema 1) instead of a table.")
@click.pass_context
def profiles(context: click.Context, as_json: bool) -> None:
    """List the profiles of config.toml; * marks the one in force. Asks no Redis."""
    from runqy_tui.config import config_path, list_profiles
    from runqy_tui.oneshot import profiles as oneshot
    from runqy_tui.redis.connecting.target import address_of

    flag = None if context.parent is None else context.parent.params.get("profile")
    found = list_profiles(os.environ, flag)
    oneshot.show(found, address_of, config_path(os.environ), as_json=as_json)
