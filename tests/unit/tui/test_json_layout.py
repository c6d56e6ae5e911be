"""JSON is laid out and not changed."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runqy_tui.tui.screens.value_views import pretty_json

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=30,
)
TOKENS = re.compile(r'"(?:[^"\\]|\\.)*"|[][{},:]|[^][{},:"\s]+')


@settings(deadline=None)
@given(JSON, st.booleans(), st.sampled_from([None, 1, 7]))
def test_nothing_is_changed(value: object, ascii_only: bool, indent: int | None) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only, indent=indent)
    pretty = pretty_json(text)
    assert pretty is not None
    assert json.loads(pretty) == json.loads(text)
    assert TOKENS.findall(pretty) == TOKENS.findall(text)
    assert pretty_json(pretty) == pretty
    assert pretty == json.dumps(value, ensure_ascii=ascii_only, indent=2)


@settings(deadline=None)
@given(st.text(st.sampled_from('[]{},:"\\ \n\t01eE.+-abtrufalsn\u00e9'), max_size=25))
def test_what_python_does_not_read_is_left_alone(text: str) -> None:
    try:
        value = json.loads(text)
    except ValueError:
        assert pretty_json(text) is None
    else:
        pretty = pretty_json(text)
        assert pretty is not None
        assert json.loads(pretty) == value


def test_spelling_order_and_duplicates_stay() -> None:
    text = '{"b":1.50,"a":1E+400,"b":[],"\\u0041":"\\ud83d\\/","n":-0,"x":{},"y":[NaN,{"z":[1]}]}'
    assert (
        pretty_json(text)
        == """\
{
  "b": 1.50,
  "a": 1E+400,
  "b": [],
  "\\u0041": "\\ud83d\\/",
  "n": -0,
  "x": {},
  "y": [
    NaN,
    {
      "z": [
        1
      ]
    }
  ]
}"""
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "{",
        "[1,]",
        "{'a': 1}",
        '{"a":1}x',
        '"\x1b"',
        '"a\nb"',
        "nul",
        "\ufeff1",
        "[1}",
        "\x00",
    ],
)
def test_no_json(text: str) -> None:
    assert pretty_json(text) is None


def test_depth() -> None:
    assert pretty_json("[" * 100 + "]" * 100) is not None
    assert pretty_json("[" * 101 + "]" * 101) is None
    assert pretty_json('{"a":' * 90_000 + "1" + "}" * 90_000) is None
    assert pretty_json("[" * 500_000) is None


def test_size() -> None:
    assert pretty_json("1" * 2_000_000) is None
    assert pretty_json("1" * 1_000_000) == "1" * 1_000_000
    assert pretty_json("[1, 2]", limit=5) is None
    assert pretty_json("[1, 2]", limit=6) == "[\n  1,\n  2\n]"
    deep = "[" * 99 + "1" + ",1" * 500_000 + "]" * 99
    assert pretty_json(deep) is None, "it would grow a hundredfold"


@pytest.mark.timeout(20)  # a guard against hanging, no measure
@pytest.mark.parametrize(
    "text",
    [
        '"' + '\\"' * 500_000 + '"',
        "[1" + ",1" * 500_000 + "]",
        '"' + "\\\\" * 500_000 + '"',
        "[" + " " * 10**6 + "]",
    ],
)
def test_a_megabyte_takes_linear_time(text: str) -> None:
    assert pretty_json(text) is not None
