"""``runqy-tui rules``: write, validate, print."""

from __future__ import annotations

import json

import pytest

from runqy_tui.alerts.rule_file import default_rules, template
from tests.integration.conftest import Cli


def test_init_writes_a_valid_commented_file(cli: Cli) -> None:
    path = cli.home / "my rules.toml"
    result = cli("rules", "init", str(path))
    assert (result.code, result.err) == (0, "")
    assert path.read_text(encoding="utf-8") == template()
    assert template().count("\n#") > 20
    error_line = cli("rules", "check", str(path))
    assert (error_line.code, error_line.err) == (0, "")
    assert error_line.out == f"{path}: {len(default_rules())} rules, all valid.\n"


def test_init_never_overwrites(cli: Cli) -> None:
    path = cli.home / "r.toml"
    path.write_text("mine", encoding="utf-8")
    error_line = cli("rules", "init", str(path)).failed(73)
    assert error_line == f"{path} exists; not overwritten. Give another name."
    assert path.read_text(encoding="utf-8") == "mine"
    dangling = cli.home / "link.toml"
    dangling.symlink_to(cli.home / "nowhere.toml")
    cli("rules", "init", str(dangling)).failed(73)
    assert not (cli.home / "nowhere.toml").exists()


def test_init_where_nothing_can_be_written(cli: Cli) -> None:
    assert "No such file or directory" in cli("rules", "init", "/nonexistent/r.toml").failed(73)


def test_check_names_the_line(cli: Cli) -> None:
    path = cli.home / "r.toml"
    text = template().replace("threshold = 1000 # tasks", 'threshold = "many"')
    path.write_text(text, encoding="utf-8")
    line = text.split("\n").index('threshold = "many"') + 1
    error_line = cli("rules", "check", str(path)).failed(78)
    assert error_line.startswith(
        f"{path} line {line}: rule 'queue-depth': threshold = 'many' must be a number of tasks"
    )
    assert error_line.endswith("as in 1000.")


def test_check_of_what_is_no_file(cli: Cli) -> None:
    assert "cannot be read: No such file" in cli("rules", "check", "/nonexistent").failed(78)
    cli("rules", "check").failed(2)
    cli("rules", "chek", "x").failed(2)


@pytest.mark.parametrize("command", ["prometheus", "grafana"])
def test_printing_needs_no_redis(cli: Cli, command: str) -> None:
    result = cli("--url", "redis://127.0.0.1:1", "rules", command)
    assert (result.code, result.err) == (0, "")
    assert "runqy_queue_pending_tasks" in result.out


def test_grafana_prints_json(cli: Cli) -> None:
    board = json.loads(cli("rules", "grafana").out)
    assert board["title"] == "runqy"


def test_prometheus_takes_a_file(cli: Cli) -> None:
    path = cli.home / "r.toml"
    path.write_text(
        '[[rule]]\nname = "mine"\nkind = "queue-depth"\nthreshold = 7\n', encoding="utf-8"
    )
    printed = cli("rules", "prometheus", "--rules", str(path)).out
    assert 'expr: "runqy_queue_pending_tasks > 7"' in printed
    path.write_text("x = 1\n", encoding="utf-8")
    assert "line 1: unknown key 'x'" in cli("rules", "prometheus", "--rules", str(path)).failed(78)
