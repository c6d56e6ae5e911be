"""The captures of real deployments, loaded by their own loader."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from redis import Redis

CAPTURES = Path(__file__).resolve().parents[3] / "shared" / "captures"

Clock = Callable[[float], float]


@dataclass
class Captures:
    """Loads captures into the tests' server, and knows when each was taken."""

    folder: Path
    writer: Redis
    loader: ModuleType = field(init=False)

    def __post_init__(self) -> None:
        spec = importlib.util.spec_from_file_location("capture_loader", self.folder / "load.py")
        assert spec is not None
        assert spec.loader is not None
        self.loader = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(self.loader)

    def path(self, name: str) -> Path:
        """File of a capture, by the first words of its name."""
        (found,) = self.folder.glob(f"{name}*.ndjson")
        return found

    def load(self, name: str, *, rebase: bool = False) -> float:
        """Load one; gives the unix second at which it was taken."""
        path = self.path(name)
        self.loader.load(self.writer, path, rebase=rebase)
        return float(self.loader.taken_at(path))


def frozen_at(moment: float) -> Clock:
    """A reader's clock that stands still."""
    return lambda _: moment
