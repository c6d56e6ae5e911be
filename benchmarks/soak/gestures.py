"""The gestures of the operator; each ends on the main screen."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from random import Random

from benchmarks.soak.soak_terminal import SoakTerminal
from runqy_tui.tui.app import MAX_WINDOWS

ESCAPE, ENTER, UP, DOWN, PAGE = "\x1b", "\r", "\x1b[A", "\x1b[B", "\x1b[6~"
SIZES = ((140, 45), (80, 24), (120, 40), (200, 60), (60, 18), (100, 28))
_DEEP = ("haste", "pile")
"""Gestures that may leave as many windows open as there can be."""

_READING_S = 0.4
_LEAVING_S = 0.15


class Operator:
    """Carries out gestures on a terminal; all random numbers come from ``rng``."""

    def __init__(
        self, screen: SoakTerminal, rng: Random, known_id: Callable[[], Awaitable[str]]
    ) -> None:
        self.screen = screen
        self.rng = rng
        self.suspensions = 0
        self._known_id = known_id
        self.gestures: dict[str, Callable[[], Awaitable[None]]] = {
            "panes": self._panes,
            "move": self._move,
            "filter": self._filter,
            "sort": self._sort,
            "open worker": lambda: self._open("1"),
            "open queue": lambda: self._open("2"),
            "open task": lambda: self._open("3"),
            "open finding": lambda: self._open("4"),
            "states": self._states,
            "find": self._find,
            "search": self._search,
            "errors": lambda: self._modal("e"),
            "alerts": lambda: self._modal("a"),
            "wrong": lambda: self._modal("w"),
            "help": lambda: self._modal("?"),
            "freeze": self._freeze,
            "report": self._report,
            "palette": self._palette,
            "interval": self._interval,
            "mouse": self._mouse,
            "resize": self._resize,
            "burst": self._burst,
            "haste": self._keys_at_any_time,
            "pile": self._most_windows,
            "suspend": self._suspend,
            "wait": self._pause,
        }

    async def play(self, name: str) -> None:
        """Carry out one gesture, then return to the main screen."""
        await self.gestures[name]()
        await self.bring_back()
        if name != "wait":
            await self.rest(MAX_WINDOWS + 3 if name in _DEEP else 4)

    async def rest(self, windows: int = MAX_WINDOWS + 3) -> None:
        """Close all windows."""
        for _ in range(windows):
            await self._type(ESCAPE, pause=_LEAVING_S)

    async def bring_back(self) -> bool:
        """Continue the monitor if a gesture or the palette has suspended it."""
        if not self.screen.bring_back():
            return False
        self.suspensions += 1
        await asyncio.sleep(_READING_S)
        return True

    async def _type(self, *keys: str, pause: float = 0.05) -> None:
        await self.screen.type(*keys, pause=pause)

    async def _pause(self) -> None:
        await asyncio.sleep(_READING_S * (0.5 + self.rng.random()))

    async def _panes(self) -> None:
        await self._type(*self.rng.choices(("1", "2", "3", "4", "\t", "\x1b[Z", "z"), k=8))

    async def _move(self) -> None:
        await self._type(self.rng.choice("123"))
        await self._type(*self.rng.choices((*"jkgG", UP, DOWN, PAGE, "\x04", "\x15"), k=20))

    async def _filter(self) -> None:
        await self._type(self.rng.choice("123"), "/", *self.rng.choice(("in", "gpu", "zzz", "a")))
        await self._pause()
        await self._type(ENTER, "j", "j")
        await self._pause()

    async def _sort(self) -> None:
        await self._type(self.rng.choice("123"), *self.rng.choices("sS", k=6), pause=0.1)

    async def _open(self, pane: str) -> None:
        await self._type(pane, *"j" * self.rng.randrange(6), ENTER)
        await self._pause()
        for key in self.rng.choices((*"][nNywjG.,", PAGE), k=10):
            await self._type(key, pause=0.12)
        await self._type("/", *"er", ENTER)
        await self._pause()

    async def _states(self) -> None:
        await self._type("2", *"j" * self.rng.randrange(8), "3")
        await self._type(*self.rng.choices("[]", k=8), pause=0.15)

    async def _find(self) -> None:
        wanted = await self._known_id() if self.rng.random() < 0.7 else "no-such-task"
        await self._type("i", pause=1.0)
        await self._paste(wanted)
        await self._type(ENTER, pause=0.3)
        await self._pause()

    async def _search(self) -> None:
        await self._type("F", pause=1.0)
        await self._paste(self.rng.choice(("error", "a", "no such text")))
        await self._type(ENTER, pause=0.5)
        await self._pause()
        await self._type(DOWN, DOWN, ENTER, pause=0.2)

    async def _paste(self, text: str) -> None:
        # Pasted: a hyphen typed before the dialog is open would be a key of its own.
        await self._type(f"\x1b[200~{text}\x1b[201~")

    async def _modal(self, key: str) -> None:
        await self._type(key)
        await self._pause()
        await self._type(*self.rng.choices(("j", "k", "G", "g", "\t", ENTER), k=6), pause=0.1)
        await self._pause()

    async def _freeze(self) -> None:
        await self._type("p")
        await self._type(*"1j2j3j", pause=0.2)
        await self._type("p")

    async def _report(self) -> None:
        await self._type("R")
        await self._pause()

    async def _palette(self) -> None:
        await self._type("\x10", pause=0.3)
        await self._type(*self.rng.choice(("sort", "the", "po", "xyz")), DOWN, UP)
        await self._pause()

    async def _interval(self) -> None:
        await self._type("+")
        await asyncio.sleep(2.0)
        await self._type("-", pause=0.3)

    async def _mouse(self) -> None:
        # Not the last line: the footer has a button that quits.
        for _ in range(12):
            column = self.rng.randrange(1, self.screen.columns)
            row = self.rng.randrange(2, max(3, self.screen.rows - 1))
            button = self.rng.choice((0, 0, 64, 65, 35))
            await self._type(f"\x1b[<{button};{column};{row}M", pause=0.02)
            if button == 0:
                await self._type(f"\x1b[<0;{column};{row}m", pause=0.05)

    async def _resize(self) -> None:
        for columns, rows in self.rng.choices(SIZES, k=self.rng.choice((1, 3, 20))):
            self.screen.resize(columns, rows)
            await asyncio.sleep(self.rng.choice((0.02, 0.3)))
        self.screen.resize(*SIZES[0])

    async def _burst(self) -> None:
        await self._type("2" + "j" * 60 + "k" * 60 + DOWN * 60 + UP * 60, pause=0.5)

    async def _keys_at_any_time(self) -> None:
        """Keys before a window is open, and after it has closed."""
        for _ in range(8):
            for key in (
                self.rng.choice("1234"),
                self.rng.choice((ENTER, ENTER, *"eaw?")),
                *self.rng.choices((*"][nNywj/.", ENTER), k=self.rng.randrange(3)),
                ESCAPE,
                *self.rng.choices((*"][nNyw/", ENTER), k=self.rng.randrange(2)),
            ):
                await self._type(key, pause=self.rng.choice((0.0, 0.005, 0.02, 0.1)))

    async def _most_windows(self) -> None:
        """As many windows above each other as there can be: the most memory that is ever in use.

        Carried out in the warm-up too, as each gesture is; otherwise it would be measured as growth
        when it happens later.
        """
        for place in range(MAX_WINDOWS):
            await self._type("ae"[place % 2], pause=0.2)
        await self._pause()

    async def _suspend(self) -> None:
        await self._type("\x1a", pause=1.0)
