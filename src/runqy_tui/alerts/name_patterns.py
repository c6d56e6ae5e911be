"""Name patterns of a rule: shell globs, and ``!`` before those that exclude."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple


class Globs(NamedTuple):
    """Matches a name that some pattern matches and no pattern with a ``!`` does.

    ``*`` is any text, ``?`` one character, ``[ab]`` and ``[!ab]`` one of a set. Where all
    patterns exclude, everything else matches.
    """

    patterns: tuple[str, ...] = ("*",)

    @property
    def all(self) -> bool:
        """Whether every name matches."""
        return self.patterns == ("*",)

    def match(self, name: str) -> bool:
        """Whether the rule is about this name."""
        return self.all or _match(self.patterns, name)

    def regexes(self) -> tuple[str | None, str | None]:
        """What must match and what must not, as anchored by Prometheus (RE2)."""
        wanted = [pattern for pattern in self.patterns if not pattern.startswith("!")]
        unwanted = [pattern[1:] for pattern in self.patterns if pattern.startswith("!")]
        some = None if not wanted or "*" in wanted else "|".join(map(regex, wanted))
        return some, "|".join(map(regex, unwanted)) or None


EVERYTHING = Globs()


@lru_cache(maxsize=65_536)
def _match(patterns: tuple[str, ...], name: str) -> bool:
    some, none = _compiled(patterns)
    if none is not None and none.fullmatch(name):
        return False
    return some is None or some.fullmatch(name) is not None


@lru_cache(maxsize=1_024)
def _compiled(
    patterns: tuple[str, ...],
) -> tuple[re.Pattern[str] | None, re.Pattern[str] | None]:
    some, none = Globs(patterns).regexes()
    return (
        None if some is None else re.compile(some, re.DOTALL),
        None if none is None else re.compile(none, re.DOTALL),
    )


_PART = re.compile(r"\*+|\?|\[!?\]?[^\]]+\]|.", re.DOTALL)
_SPECIAL = frozenset(".^$*+?{}[]|()\\")


def is_valid(pattern: str) -> bool:
    """Whether the pattern means something: a set such as ``[z-a]`` does not."""
    try:
        re.compile(regex(pattern))
    except re.error:
        return False
    return True


def regex(pattern: str) -> str:
    """One glob in the regular expressions that Python and RE2 share."""
    return "".join(_part(found.group()) for found in _PART.finditer(pattern))


def _part(part: str) -> str:
    if part.startswith("*"):
        return ".*"
    if part == "?":
        return "."
    if part.startswith("[") and part not in ("[", "[!]"):
        excluded = part[1] == "!"
        members = (
            char if char.isalnum() or char in "-_" or not char.isascii() else f"\\{char}"
            for char in part[1 + excluded : -1]
        )
        return f"[{'^' if excluded else ''}{''.join(members)}]"
    return "".join(f"\\{char}" if char in _SPECIAL else char for char in part)
