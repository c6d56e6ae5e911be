"""``runqy-tui profiles``: the profiles as a table or JSON (schema 1), without credentials."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from runqy_tui.commands.stdout import emit, table
from runqy_tui.config import Profile
from runqy_tui.model import JsonObject
from runqy_tui.model.errors import ConfigError
from runqy_tui.model.json_schema import SCHEMA
from runqy_tui.text.safe import safe_line

_HEAD = ("", "PROFILE", "NAME", "COLOUR", "ADDRESS")
_LONGEST = 250


def print_profiles(
    profiles: Sequence[Profile], address_of: Callable[[str], str], path: Path, *, as_json: bool
) -> None:
    """Print the profiles in the order of the file.

    Args:
        profiles: the profiles.
        address_of: returns the address of a URL without credentials, or raises ConfigError; an
            invalid URL does not hide the other profiles.
        path: the file, named where it contains no profile.
        as_json: print JSON.

    Raises:
        OutputError: standard output cannot be written.
    """
    if as_json:
        listed = [_object(profile, address_of) for profile in profiles]
        emit({"schema": SCHEMA, "profiles": listed})
        return
    rows = [
        (
            "*" if profile.default else "",
            profile.name,
            profile.title if profile.title != profile.name else "",
            profile.colour or "",
            _place(profile, address_of)[0] or "invalid URL",
        )
        for profile in profiles
    ]
    emit(table(_HEAD, rows, f"No profiles in {safe_line(str(path))}.", _LONGEST))


def _place(profile: Profile, address_of: Callable[[str], str]) -> tuple[str | None, str | None]:
    try:
        return address_of(profile.url), None
    except ConfigError as error:
        return None, str(error)


def _object(profile: Profile, address_of: Callable[[str], str]) -> JsonObject:
    address, problem = _place(profile, address_of)
    return {
        "profile": profile.name,
        "name": profile.title,
        "address": address,
        "problem": problem,
        "colour": profile.colour,
        "default": profile.default,
    }
