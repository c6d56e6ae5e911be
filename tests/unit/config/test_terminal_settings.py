"""What the terminal is to be spared: by flag, environment, profile or file."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.config.settings_desk import Desk

PROFILES = """
low_bandwidth = true
colours = "256"
[profiles.far]
url = "redis://far:1/0"
colours = 16
[profiles.near]
url = "redis://near:1/0"
low_bandwidth = "auto"
"""


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_without_a_word_it_is_automatic(desk: Desk) -> None:
    settings = desk.load()
    assert (settings.low_bandwidth, settings.depth) == (None, "auto")


def test_each_source_yields_to_the_one_above_it(desk: Desk) -> None:
    desk.write(PROFILES)
    assert (desk.load().low_bandwidth, desk.load().depth) == (True, "256")
    far, near = desk.load(profile="far"), desk.load(profile="near")
    assert (far.low_bandwidth, far.depth) == (True, "16")
    assert (near.low_bandwidth, near.depth) == (None, "256")
    env = {"RUNQY_TUI_LOW_BANDWIDTH": "no", "RUNQY_TUI_COLOURS": "truecolor"}
    assert (desk.load(env).low_bandwidth, desk.load(env).depth) == (False, "truecolor")
    flags = desk.load(env, low_bandwidth=True, colours="16")
    assert (flags.low_bandwidth, flags.depth) == (True, "16")


@pytest.mark.parametrize(("word", "means"), [("auto", None), ("AUTO", None), ("1", True)])
def test_the_environment_spells_it_in_many_ways(desk: Desk, word: str, means: object) -> None:
    desk.write("low_bandwidth = false")
    assert desk.load({"RUNQY_TUI_LOW_BANDWIDTH": word}).low_bandwidth is means


def test_the_demo_has_them_too(desk: Desk) -> None:
    desk.write(PROFILES)
    settings = desk.load(connect=False)
    assert (settings.low_bandwidth, settings.depth) == (True, "256")


@pytest.mark.parametrize(
    ("file", "env", "says"),
    [
        ("colours = 8", {}, "config.toml: colours must be one of auto, 16, 256, truecolor, not 8."),
        ("colours = true", {}, "config.toml: colours must be one of"),
        ("low_bandwidth = 1", {}, 'low_bandwidth must be true, false or "auto", not 1.'),
        ("", {"RUNQY_TUI_COLOURS": "many"}, "RUNQY_TUI_COLOURS must be one of auto, 16,"),
        ("", {"RUNQY_TUI_LOW_BANDWIDTH": "x"}, "RUNQY_TUI_LOW_BANDWIDTH='x' must be true or false"),
    ],
)
def test_what_is_neither_is_said(desk: Desk, file: str, env: dict[str, str], says: str) -> None:
    desk.write(file)
    assert says in desk.complaint(env)
