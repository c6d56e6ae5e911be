"""``runqy-tui profiles``, and ``--profile`` before any command."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.integration.conftest import Result

Run = Callable[..., Result]

SECRET = "hunter2"
CONFIG = f"""
profile = "staging"

[profiles.prod]
url = "rediss+sentinel://me:{SECRET}@s1,s2/mymaster/2"
password = "{SECRET}"
colour = "red"

[profiles.staging]
name = "Stage"

[profiles.bad]
url = "http://:{SECRET}@h"
"""


@pytest.fixture
def config(tmp_path: Path) -> dict[str, str]:
    """An environment that names a file with three profiles."""
    path = tmp_path / "own.toml"
    path.write_text(CONFIG, encoding="utf-8")
    path.chmod(0o600)
    return {"RUNQY_TUI_CONFIG": str(path)}


def test_the_list_as_text(here: Run, config: dict[str, str]) -> None:
    result = here("profiles", **config)
    assert (result.code, result.err) == (0, "")
    assert result.out.splitlines() == [
        "   PROFILE  NAME   COLOUR  ADDRESS",
        "   prod            red     mymaster@s1:26379,s2:26379/2",
        "*  staging  Stage          localhost:6379",
        "   bad                     invalid URL",
    ]
    assert here("--profile", "prod", "profiles", **config).out.splitlines()[1][0] == "*"
    assert here("--no-profile", "profiles", **config).out.count("*") == 0


def test_the_list_as_json(here: Run, config: dict[str, str]) -> None:
    result = here("profiles", "--json", **config)
    seen = result.json
    assert seen["schema"] == 1
    prod, staging, bad = seen["profiles"]
    assert prod == {
        "profile": "prod",
        "name": "prod",
        "address": "mymaster@s1:26379,s2:26379/2",
        "problem": None,
        "colour": "red",
        "default": False,
    }
    assert (staging["name"], staging["default"]) == ("Stage", True)
    assert bad["address"] is None
    assert bad["problem"].startswith("The Redis URL must start with redis://")
    assert SECRET not in result.out + result.err


def test_an_empty_list_names_the_file(here: Run, tmp_path: Path) -> None:
    path = tmp_path / "empty.toml"
    path.touch()
    result = here("profiles", RUNQY_TUI_CONFIG=str(path))
    assert (result.code, result.out) == (0, f"No profiles in {path}.\n")
    assert here("profiles", "--json", RUNQY_TUI_CONFIG=str(path)).json["profiles"] == []


def test_an_unknown_profile_ends_every_command(here: Run, config: dict[str, str]) -> None:
    says = (
        "--profile: there is no profile 'prode'; did you mean 'prod'? Known profiles: prod, staging"
    )
    for command in ("profiles", "snapshot"):
        assert here("--profile", "prode", command, **config).failed(78).startswith(says)
    checked = here("--profile", "prode", "check", **config)
    assert checked.code == 3
    assert checked.out.startswith(f"RUNQY UNKNOWN - {says}")
    assert "--demo uses its own server: remove --profile" in here(
        "--demo", "--profile", "prod", **config
    ).failed(2)


def test_a_snapshot_of_a_profile_begins_with_its_name(
    here: Run, tmp_path: Path, locked_at: str
) -> None:
    path = tmp_path / "config" / "runqy-tui" / "config.toml"
    path.parent.mkdir(parents=True)
    (path.parent / "pw").write_text("right\n", encoding="utf-8")
    (path.parent / "pw").chmod(0o600)
    text = '[profiles.one]\nurl = "redis://{}/0"\nusername = "monitor"\npassword_file = "pw"\n'
    path.write_text(text.format(locked_at), encoding="utf-8")
    result = here("--profile", "one", "snapshot")
    assert (result.code, result.err) == (0, "")
    assert result.out.startswith(f"one  {locked_at}  ")
    away = here("--profile", "one", "--url", f"redis://{locked_at}/0", "snapshot")
    assert "requires a password" in away.failed(77), "the profile's is not sent there"
