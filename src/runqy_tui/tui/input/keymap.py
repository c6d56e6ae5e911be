"""Checks the binding names under ``[keys]`` in ``config.toml`` against the declared bindings."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterable, Iterator

from textual.binding import Binding
from textual.dom import DOMNode

import runqy_tui.tui
from runqy_tui.model.errors import ConfigError


def check_names(names: Iterable[str]) -> None:
    """Reject a name that no binding has: Textual would ignore it silently.

    Imports all screens.

    Raises:
        ConfigError: a name is unknown; the message suggests the closest one.
    """
    known = set(_names())
    for name in names:
        if name not in known:
            raise ConfigError(
                f"config.toml: [keys]: unknown binding {_shortened(name)}"
                f"{_closest(name, known) or '.'} Help (?) lists all bindings."
            )


def _names() -> Iterator[str]:
    for module in pkgutil.walk_packages(runqy_tui.tui.__path__, "runqy_tui.tui."):
        for item in vars(importlib.import_module(module.name)).values():
            if isinstance(item, type) and issubclass(item, DOMNode):
                yield from _declared(item)


def _declared(owner: type[DOMNode]) -> Iterator[str]:
    """Yield the ids that a class of ours declares; Textual's own bindings cannot be remapped."""
    if owner.__module__.startswith("runqy_tui."):
        for binding in vars(owner).get("BINDINGS", ()):
            if isinstance(binding, Binding) and binding.id:
                yield binding.id


def _closest(name: str, known: Iterable[str]) -> str:
    import difflib

    close = difflib.get_close_matches(name[:64], sorted(known), n=1, cutoff=0.5)
    return f"; did you mean {close[0]!r}?" if close else ""


def _shortened(name: str) -> str:
    return repr(name if len(name) <= 40 else f"{name[:39]}…")
