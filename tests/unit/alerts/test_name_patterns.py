"""Patterns of names, and the same in PromQL."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runqy_tui.alerts.rule import NamePatterns, glob_to_regex, is_valid_pattern

TEXT = st.text(alphabet="ab.*?[]!-^\\|(){}+$\n é", max_size=8)


@pytest.mark.parametrize(
    ("patterns", "name", "matches"),
    [
        (("*",), "anything\n", True),
        (("inference.*",), "inference.high", True),
        (("inference.*",), "inferenceXhigh", False),
        (("a?c",), "abc", True),
        (("a?c",), "ac", False),
        (("[ab]x",), "bx", True),
        (("[!ab]x",), "bx", False),
        (("[!ab]x",), "cx", True),
        (("a", "b*"), "bee", True),
        (("*", "!*.low"), "a.low", False),
        (("*", "!*.low"), "a.high", True),
        (("!*.low",), "a.high", True),
        (("a|b",), "a|b", True),
        (("a|b",), "a", False),
        (("a",), "A", False),
    ],
)
def test_matching(patterns: tuple[str, ...], name: str, matches: bool) -> None:
    assert NamePatterns(patterns).match(name) is matches


@given(TEXT, TEXT)
def test_a_pattern_means_what_the_shell_means(pattern: str, name: str) -> None:
    if is_valid_pattern(pattern) and "[" not in pattern:
        assert bool(re.fullmatch(glob_to_regex(pattern), name, re.DOTALL)) == fnmatchcase(
            name, pattern
        )


@given(TEXT)
def test_any_pattern_is_valid_or_said_not_to_be(pattern: str) -> None:
    if is_valid_pattern(pattern):
        re.compile(glob_to_regex(pattern))
        NamePatterns((pattern,)).match("x")


def test_a_set_that_runs_backwards() -> None:
    assert not is_valid_pattern("[z-a]")


def test_everything_needs_no_matcher() -> None:
    assert NamePatterns().regexes() == (None, None)
    assert NamePatterns(("*", "!b")).regexes() == (None, "b")
    assert NamePatterns(("a.*", "c")).regexes() == (r"a\..*|c", None)
