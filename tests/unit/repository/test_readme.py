"""What the README prints is what the program prints."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner

from runqy_tui.cli import cli
from runqy_tui.redis.checkup.acl import set_user

README = Path(__file__).parents[3] / "README.md"


def test_the_rights_are_those_that_acl_prints() -> None:
    assert set_user() in README.read_text().splitlines()


def test_every_command_is_shown() -> None:
    text = README.read_text()
    missing = [name for name in cli.commands if f"runqy-tui {name}" not in text]
    assert not missing


def test_every_option_that_leads_to_redis_is_shown() -> None:
    text = README.read_text()
    shown = CliRunner().invoke(cli, ["--help"]).output
    options = {word.strip(",") for word in shown.split() if word.startswith("--")}
    ways_in = {name for name in options if name.startswith(("--tls", "--sentinel", "--pass"))}
    assert len(ways_in) >= 7
    assert not [name for name in ways_in if name not in text]
