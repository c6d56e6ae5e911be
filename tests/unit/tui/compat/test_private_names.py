"""The private names of Textual and Rich: all in one package, checked, and with a way without."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import textwrap
from collections.abc import Iterator
from functools import cache
from importlib.metadata import version
from pathlib import Path
from types import ModuleType

import pytest
import rich
import textual
from rich.segment import Segment
from rich.style import Style
from textual._styles_cache import StylesCache
from textual.app import App

import runqy_tui
from runqy_tui.tui.compat import hooks, private_names
from runqy_tui.tui.compat.private_names import FEATURES, FRAMES, STYLES, Feature, PrivateName

SOURCE = Path(runqy_tui.__file__).parent
FOREIGN = ("textual", "rich")
ALLOWED = {"_replace", "_asdict", "_fields", "_make", "_exit"}
"""Documented names that begin with an underscore: of named tuples, and of ``os``."""


def test_this_textual_is_as_tested() -> None:
    assert private_names.differences() == []


def test_a_difference_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    feature = Feature(
        "Textual draws", PrivateName(App, "_display", ("self", "what")), PrivateName(App, "_no")
    )
    monkeypatch.setattr(private_names, "FEATURES", (feature,))
    (sentence,) = private_names.differences()
    assert sentence.startswith(f"Textual {version('textual')} ")
    assert sentence.endswith("differs from 8.2 in App._display, App._no: Textual draws.")


def test_a_class_that_is_gone_is_a_difference_and_no_error() -> None:
    gone = private_names._load("textual._no_such_module", "Compositor")
    assert not Feature("", PrivateName(gone, "render_strips")).is_available
    assert PrivateName(gone, "render_strips").label == "Compositor.render_strips"
    assert not isinstance("text", private_names._load("textual._compositor", "NoSuchClass"))


def test_textuals_own_way_gets_the_arguments_of_another_textual(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: list[object] = []
    monkeypatch.setattr(App, "_display", lambda _, *args, **options: seen.append((args, options)))
    monkeypatch.setitem(vars(FRAMES), "missing", ("App._display",))
    app: hooks.HookedApp[None] = hooks.HookedApp()
    app._display("screen", "update", "layer", whole=True)
    assert seen == [(("screen", "update", "layer"), {"whole": True})]


def test_attributes_are_read_in_the_public_way_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    styles = [Style(), Style(bold=True, dim=False), Style(underline2=True, overline=True)]
    styles += [Style(**{name: True}) for name in hooks.ATTRIBUTES]  # type: ignore[arg-type]
    private = [hooks.style_attributes(style) for style in styles]
    monkeypatch.setitem(vars(STYLES), "missing", ("Style._attributes",))
    assert [hooks.style_attributes(style) for style in styles] == private
    assert private[3:] == [1 << bit for bit in range(13)]


def test_the_pieces_of_cut_texts_are_dropped() -> None:
    Segment("a text that is cut …").split_cells(3)
    kept = Segment._split_cells.cache_info
    assert kept().currsize > 0
    hooks.clear_drawn_caches()
    assert kept().currsize == 0
    assert StylesCache.get_inner_outer.cache_info().currsize == 0


def test_nothing_private_is_used_elsewhere() -> None:
    found = [
        f"{path.relative_to(SOURCE)}:{line}: {what}"
        for path in sorted(SOURCE.rglob("*.py"))
        if "compat" not in path.parts
        for line, what in _private_uses(path)
    ]
    assert found == []


def test_what_is_used_in_the_package_is_checked() -> None:
    """A name that the package uses belongs to a feature, else its absence would go unnoticed."""
    checked = {name.name for feature in FEATURES for name in feature.names}
    used = {
        what.split()[-1]
        for path in (SOURCE / "tui" / "compat").glob("*.py")
        for _, what in _private_uses(path)
        if "import" not in what
    }
    assert used <= checked
    assert len(used) > 25


# Finding them

_DEFINED_OR_READ = re.compile(r"(?:\bdef |\.)(_\w+)")


def _is_private(name: str) -> bool:
    dunder = name.startswith("__") and name.endswith("__")
    return name.startswith("_") and not dunder and name not in ALLOWED


def _private_uses(path: Path) -> Iterator[tuple[int, str]]:
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [*node.module.split("."), *(alias.name for alias in node.names)]
            if names[0] in FOREIGN and any(map(_is_private, names)):
                yield node.lineno, f"import from {node.module}"
        elif isinstance(node, ast.Import):
            for alias in node.names:
                parts = alias.name.split(".")
                if parts[0] in FOREIGN and any(map(_is_private, parts)):
                    yield node.lineno, f"import {alias.name}"
        elif (
            isinstance(node, ast.Attribute)
            and not _is_self(node.value)
            and node.attr in _all_private_names()
        ):
            yield node.lineno, f"attribute {node.attr}"
    if "tui" in path.parts:
        name = ".".join(path.relative_to(SOURCE.parent).with_suffix("").parts)
        module = importlib.import_module(name.removesuffix(".__init__"))
        for node in tree.body:
            if isinstance(node, ast.ClassDef):
                yield from _private_uses_of_class(node, module)


def _is_self(node: ast.expr) -> bool:
    return ast.unparse(node) in ("self", "cls")


def _private_uses_of_class(node: ast.ClassDef, module: ModuleType) -> Iterator[tuple[int, str]]:
    """Overrides of private methods, and private attributes of ``self`` that a base has."""
    inherited = {
        name
        for cls in _with_subclasses(getattr(module, node.name))
        for base in cls.__mro__
        if base.__module__.split(".")[0] in FOREIGN
        for name in _private_names_of(base)
    }
    for inner in ast.walk(node):
        if isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef) and inner.name in inherited:
            yield inner.lineno, f"override of {inner.name}"
        elif isinstance(inner, ast.Attribute) and _is_self(inner.value) and inner.attr in inherited:
            yield inner.lineno, f"attribute {inner.attr}"


def _with_subclasses(cls: type) -> Iterator[type]:
    """A mixin has the bases of the classes that it is mixed into."""
    yield cls
    subclasses: list[type] = cls.__subclasses__()
    for subclass in subclasses:
        yield from _with_subclasses(subclass)


@cache
def _private_names_of(cls: type) -> frozenset[str]:
    """Private names in a class's dictionary, and those its methods assign to ``self``."""
    names = set(filter(_is_private, vars(cls)))
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(cls)))
    except (OSError, TypeError):
        return frozenset(names)
    names |= {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and isinstance(node.ctx, ast.Store)
        and _is_self(node.value)
        and _is_private(node.attr)
    }
    return frozenset(names)


@cache
def _all_private_names() -> frozenset[str]:
    """Names of private functions and attributes anywhere in Textual and Rich."""
    names: set[str] = set()
    for package in (textual, rich):
        for path in Path(package.__path__[0]).rglob("*.py"):
            names.update(_DEFINED_OR_READ.findall(path.read_text()))
    return frozenset(filter(_is_private, names))
