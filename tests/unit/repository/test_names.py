"""A name stands for one thing: no two classes and no two modules of the package share one."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

import runqy_tui

PACKAGE = Path(runqy_tui.__file__).parent

# Name → why it may stand for two things. Anything added here needs a good reason.
SHARED_CLASS_NAMES: dict[str, str] = {}
SHARED_MODULE_NAMES: dict[str, str] = {}


def modules() -> Iterator[tuple[Path, str]]:
    """Each module's path within the package, and its base name: a package's own for __init__."""
    for path in sorted(PACKAGE.rglob("*.py")):
        if path != PACKAGE / "__init__.py":
            name = path.parent.name if path.name == "__init__.py" else path.stem
            yield path.relative_to(PACKAGE), name


def classes() -> Iterator[tuple[Path, str]]:
    """Each class, nested ones included, with the module that defines it."""
    for module, _ in modules():
        for node in ast.walk(ast.parse((PACKAGE / module).read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef):
                yield module, node.name


def duplicates(
    named: Iterator[tuple[Path, str]], allowed: Mapping[str, str]
) -> dict[str, list[str]]:
    """Names that stand for several things and are not allowed to, with where each is defined."""
    places = defaultdict(list)
    for path, name in named:
        places[name].append(path.as_posix())
    return {name: found for name, found in places.items() if len(found) > 1 and name not in allowed}


def test_no_two_classes_share_a_name() -> None:
    assert duplicates(classes(), SHARED_CLASS_NAMES) == {}


def test_no_two_modules_share_a_name() -> None:
    assert duplicates(modules(), SHARED_MODULE_NAMES) == {}


def test_a_duplicate_is_found_with_both_places() -> None:
    named = [(Path("a.py"), "Link"), (Path("b.py"), "Link"), (Path("b.py"), "Row")]
    assert duplicates(iter(named), {}) == {"Link": ["a.py", "b.py"]}
    assert duplicates(iter(named), {"Link": "for a reason"}) == {}


def test_what_may_be_shared_is_shared() -> None:
    assert {*duplicates(classes(), {})} >= {*SHARED_CLASS_NAMES}
    assert {*duplicates(modules(), {})} >= {*SHARED_MODULE_NAMES}
