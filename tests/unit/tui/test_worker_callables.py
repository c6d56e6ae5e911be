"""Textual's workers are given callables: a coroutine of one that never starts is never awaited."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import runqy_tui.tui

FILES = sorted(Path(runqy_tui.tui.__file__).parent.rglob("*.py"))


def coroutines_given(source: str) -> list[int]:
    """Lines where ``run_worker`` is given a call that is not a ``partial``."""
    return [
        call.lineno
        for call in ast.walk(ast.parse(source))
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and call.func.attr == "run_worker"
        and isinstance(call.args[0], ast.Call)
        and ast.unparse(call.args[0].func) != "partial"
    ]


def test_the_rule_finds_a_coroutine() -> None:
    assert coroutines_given("self.run_worker(self._load(key), group='load')") == [1]
    assert coroutines_given("self.run_worker(partial(self._load, key))") == []
    assert coroutines_given("self.run_worker(self._load)") == []


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_no_worker_is_given_a_coroutine(file: Path) -> None:
    assert coroutines_given(file.read_text()) == []
