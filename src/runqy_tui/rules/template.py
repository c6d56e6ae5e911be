"""The rules that hold where no file is named, and the file that ``rules init`` writes."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from runqy_tui.rules.load import parse_rules
from runqy_tui.rules.model import Rule


def template() -> str:
    """The commented file."""
    return files(__package__).joinpath("default.toml").read_text(encoding="utf-8")


@cache
def default_rules() -> tuple[Rule, ...]:
    """The rules of the commented file: one text is both."""
    return parse_rules(template(), "the built-in rules")
