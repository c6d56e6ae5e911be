"""Profiles: which one is in force, what it brings along, and what it never gives away."""

from __future__ import annotations

import pytest

from runqy_tui.config import COLOURS, list_profiles
from tests.unit.config.settings_desk import SECRET, Desk

TWO = f"""
interval = 9
timeout = 9
url = "redis://top"
password = "top-{SECRET}"
name = "top"

[profiles.prod]
url = "rediss://prod"
username = "mon"
password = "{SECRET}"
colour = "RED"
read_only = true
interval = 5
budget = 500
rules = "prod.toml"
notify = "bell"

[profiles.staging]
url = "redis://staging"
name = "Stage Ω"
colour = "#0A0b0c"

[profiles.shared]
interval = 1
"""


def test_a_profile_is_a_whole(desk: Desk) -> None:
    desk.write(TWO)
    prod = desk.load(profile="prod")
    assert (prod.url, prod.url_source) == ("rediss://prod", "config.toml: profiles.prod.url")
    assert (prod.profile, prod.name, prod.colour) == ("prod", "prod", "red")
    assert (prod.access.username, prod.access.password) == ("mon", SECRET)
    assert (prod.interval_s, prod.timeout_s, prod.notify) == (5.0, 9.0, "bell")
    assert (prod.budget, desk.load(profile="staging").budget) == (500, 2_000)
    assert desk.load(profile="prod", budget=800).budget == 800
    assert (prod.rules, prod.marked_read_only) == (desk.folder / "prod.toml", True)
    staging = desk.load(profile="staging")
    assert (staging.name, staging.profile, staging.colour) == ("Stage Ω", "staging", "#0a0b0c")
    assert staging.access.password is None, "the top level's belongs to the top level's address"
    assert not staging.marked_read_only
    assert SECRET not in repr(prod)


def test_a_profile_without_an_address_shares_the_top_levels(desk: Desk) -> None:
    desk.write(TWO)
    shared = desk.load(profile="shared")
    assert (shared.url, shared.access.password) == ("redis://top", f"top-{SECRET}")
    assert (shared.profile, shared.name, shared.interval_s) == ("shared", "top", 1.0)
    top = desk.load()
    assert (top.profile, top.name, top.interval_s) == (None, "top", 9.0)


def test_flag_then_variable_then_file_choose_it(desk: Desk) -> None:
    desk.write(f'profile = "prod"{TWO}')
    variable = {"RUNQY_TUI_PROFILE": "shared"}
    assert desk.load().profile == "prod"
    assert desk.load(variable).profile == "shared"
    assert desk.load(variable, profile="staging").profile == "staging"
    assert desk.load(variable, profile="").profile is None
    assert desk.load({"RUNQY_TUI_PROFILE": ""}).profile == "prod"


def test_only_the_flag_puts_a_profile_above_the_environment(desk: Desk) -> None:
    """Who types a name means that Redis; a default gives way to what is set for this shell."""
    desk.write(f'profile = "prod"{TWO}')
    env = {"RUNQY_REDIS_URL": "redis://env"}
    assert desk.load(env).url == "redis://env"
    assert desk.load(env | {"RUNQY_TUI_PROFILE": "staging"}).url == "redis://env"
    assert desk.load(env, profile="staging").url == "redis://staging"
    flag = desk.load(env, profile="prod", url="redis://flag")
    assert (flag.url, flag.access.password, flag.name) == ("redis://flag", None, None)
    assert (flag.profile, flag.colour, flag.interval_s) == (None, None, 5.0)


def test_an_unknown_profile_names_source_and_nearest(desk: Desk) -> None:
    desk.write(TWO)
    known = "Known profiles: prod, staging, shared."
    near = f"there is no profile 'prd'; did you mean 'prod'? {known}"
    assert desk.complaint(profile="prd") == f"--profile: {near}"
    assert desk.complaint({"RUNQY_TUI_PROFILE": "prd"}) == f"RUNQY_TUI_PROFILE: {near}"
    assert desk.complaint(profile="zzz") == f"--profile: there is no profile 'zzz'. {known}"
    desk.write('profile = "prd"')
    assert desk.complaint() == (
        f"config.toml: profile: there is no profile 'prd'; {desk.config} contains no profiles."
    )


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("profile = 1", 'config.toml: profile must be the name of a profile, as in "prod".'),
        ("profiles = 1", ": profiles are tables, as in [profiles.prod]."),
        ("[profiles]\nprod = 1", ": profile 'prod' must be a table: [profiles.prod]."),
        ("[profiles.p]\nurll = ''", ": profile 'p': unknown setting 'urll'; did you mean 'url'?"),
        ("[profiles.p]\nmouse = true", ": profile 'p': unknown setting 'mouse'; known settings: "),
        ('[profiles."a\\nb"]', ": the name of a profile must be a name in one line"),
        (f"[profiles.{'p' * 41}]", ": the name of a profile must be at most 40 characters long."),
    ],
)
def test_a_bad_table_is_refused_whoever_is_in_force(desk: Desk, text: str, says: str) -> None:
    desk.write(text)
    assert says in desk.complaint()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("url = 1", "profiles.p.url must be a string, as in redis://host:6379/0."),
        ("colour = 'reed'", "colour must be one of red, orange, "),
        ("colour = 'reed'", "not 'reed'; did you mean 'red'?"),
        ("colour = '#12345'", "or as in '#c00000', not '#12345'."),
        ("colour = 3", "not 3."),
        (f"name = '{'n' * 41}'", "profiles.p.name must be at most 40 characters long."),
        ("name = ''", "profiles.p.name must be a name in one line, and not empty."),
        ("read_only = false", "profiles.p.read_only cannot be false: this program never writes."),
        ("interval = 0", "config.toml: profiles.p.interval 0 is out of range: 0.2 to 3600 s."),
        ("budget = 5", "profiles.p.budget 5 is out of range: 100 to 1,000,000 commands per second"),
        ("notify = 'x'", "config.toml: profiles.p.notify must be one of none, bell, osc9, not"),
    ],
)
def test_a_bad_value_of_the_profile_in_force(desk: Desk, text: str, says: str) -> None:
    desk.write(f"[profiles.p]\n{text}")
    assert says in desk.complaint(profile="p")
    assert desk.load().profile is None, "of one that is not in force the names alone are read"


@pytest.mark.parametrize("colour", [*COLOURS, "#C00000"])
def test_every_colour_is_taken(desk: Desk, colour: str) -> None:
    desk.write(f'colour = "{colour}"')
    assert desk.load().colour == colour.lower()


def test_the_demo_has_neither_address_nor_name(desk: Desk) -> None:
    desk.write(f'profile = "prod"{TWO}'.replace("username", "password_file = '/none'\nusername"))
    demo = desk.load(connect=False)
    assert (demo.profile, demo.name, demo.colour, demo.access.password) == (None,) * 4
    assert (demo.interval_s, demo.url_source) == (5.0, "the default")


def test_the_list_of_profiles(desk: Desk) -> None:
    desk.write(f'profile = "prod"{TWO}')
    listed = list_profiles(desk.env)
    assert [(p.name, p.title, p.colour, p.default) for p in listed] == [
        ("prod", "prod", "red", True),
        ("staging", "Stage Ω", "#0a0b0c", False),
        ("shared", "top", None, False),
    ]
    assert [p.url for p in listed] == ["rediss://prod", "redis://staging", "redis://top"]
    assert [p.default for p in list_profiles(desk.env, "shared")] == [False, False, True]
    desk.write('[profiles.x]\nurl = "redis://me:hunter2@h"')
    assert SECRET not in repr(list_profiles(desk.env))
