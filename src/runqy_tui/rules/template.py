"""The rules that hold where no file is named, and the file that ``rules init`` writes."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from runqy_tui.rules.load import parse_rules
from runqy_tui.rules.model import Rule


def template() -> str:
    """The commented file."""
    # Not by importlib.resources: to load it takes longer than to read the rules.
    return Path(__file__).with_name("default.toml").read_text(encoding="utf-8")


@cache
def default_rules() -> tuple[Rule, ...]:
    """The rules of the commented file: one text is both."""
    return parse_rules(template(), "the built-in rules")
