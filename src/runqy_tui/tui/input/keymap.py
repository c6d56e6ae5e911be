"""The names by which ``[keys]`` in ``config.toml`` may call bindings, and whether they exist."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterable, Iterator

from textual.binding import Binding
from textual.dom import DOMNode

import runqy_tui.tui
from runqy_tui.model.errors import ConfigError


def check_names(names: Iterable[str]) -> None:
    """Refuse a name that no binding has: it would be ignored in silence.

    Costs the import of all screens.

    Raises:
        ConfigError: names the first unknown one, and the nearest that there is.
    """
    known = set(_names())
    for name in names:
        if name not in known:
            raise ConfigError(
                f"config.toml: [keys] names {_shown(name)}, which is no binding"
                f"{_nearest(name, known) or '.'} The help (?) lists them all."
            )


def _names() -> Iterator[str]:
    for module in pkgutil.walk_packages(runqy_tui.tui.__path__, "runqy_tui.tui."):
        for item in vars(importlib.import_module(module.name)).values():
            if isinstance(item, type) and issubclass(item, DOMNode):
                yield from _declared(item)


def _declared(owner: type[DOMNode]) -> Iterator[str]:
    """Ids of a class of ours; what it has of Textual's own has none that the help would list."""
    if owner.__module__.startswith("runqy_tui."):
        for binding in vars(owner).get("BINDINGS", ()):
            if isinstance(binding, Binding) and binding.id:
                yield binding.id


def _nearest(name: str, known: Iterable[str]) -> str:
    import difflib

    close = difflib.get_close_matches(name[:64], sorted(known), n=1, cutoff=0.5)
    return f"; did you mean {close[0]!r}?" if close else ""


def _shown(name: str) -> str:
    return repr(name if len(name) <= 40 else f"{name[:39]}…")
