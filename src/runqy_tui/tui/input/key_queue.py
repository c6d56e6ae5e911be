"""Keys one at a time: the next is handed out when what the last one did is done.

Textual gives each key to whatever has the focus at that moment, and the key's action is run some
queues later. Where keys come together, as over a link that stutters, those typed behind ``/`` or
``i`` went to the list instead of the input: ``/batch`` opened the alerts with its ``a``.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

from textual.app import App
from textual.events import Key, Paste
from textual.message import Message
from textual.widget import Widget

PATIENCE_S = 1.0
"""A key that is not through by then waits for something slow, or went to a widget that is gone."""

_MOVES = frozenset({"up", "down", "pageup", "pagedown", "home", "end"})
"""They move within what has the focus. One that was held down on a link that stutters comes by the
hundred, and none waits for the one before."""

Typed = Key | Paste


class KeyBarrier(Message):
    """Follows a key from queue to queue, up to the app.

    The first one comes with the key: then its action has run. The second one comes behind what the
    action told the widget, such as that a line was submitted.
    """

    def __init__(self, target: Widget, *, again: bool = False) -> None:
        super().__init__()
        self.target = target
        self.again = again
        self.set_sender(target)  # else it would end below the app, as sent by it


class KeyQueue:
    """Hands out what is typed, in its order.

    Args:
        app: whose keys these are; it tells :meth:`through` when a :class:`KeyBarrier` has arrived.
        hand_out: gives a key or a pasted text to the widget that has the focus.
    """

    def __init__(self, app: App[Any], hand_out: Callable[[Typed], Awaitable[None]]) -> None:
        self._app = app
        self._hand_out = hand_out
        self._waiting: deque[Typed] = deque()
        self._last: Typed | None = None
        self._under_way: KeyBarrier | None = None
        self._late: asyncio.TimerHandle | None = None

    async def take(self, typed: Typed) -> None:
        """Hand out what was typed, now or in its turn."""
        self._waiting.append(typed)
        if self._under_way is None:
            await self._next()

    def through(self, mark: KeyBarrier) -> None:
        """A key has gone all its way, once or twice.

        What it put into the queues of screen and app comes first as well: that may be a change of
        the focus, or a window that takes the next keys.
        """
        if mark is not self._under_way:
            return
        if not mark.again:
            self._under_way = KeyBarrier(mark.target, again=True)
            if mark.target.post_message(self._under_way):
                return
        app = self._app
        app.screen.call_later(app.call_later, self._done, self._under_way)

    async def _next(self) -> None:
        app = self._app
        while self._waiting and self._under_way is None:
            typed, target = self._waiting.popleft(), app.focused or app.screen
            if isinstance(typed, Key) and typed.key in _MOVES:
                await self._hand_out(typed)
                continue
            self._last = typed
            mark = self._under_way = KeyBarrier(target)
            loop = asyncio.get_running_loop()
            self._late = loop.call_later(PATIENCE_S, app.call_later, self._give_up, typed)
            await self._hand_out(typed)
            if not target.post_message(mark):
                self._end()

    async def _done(self, mark: KeyBarrier) -> None:
        if mark is self._under_way:
            self._end()
            await self._next()

    async def _give_up(self, typed: Typed) -> None:
        if typed is self._last:  # and not one whose time was up while it came through
            self._end()
            await self._next()

    def _end(self) -> None:
        self._under_way = None
        if self._late is not None:
            self._late.cancel()
            self._late = None
