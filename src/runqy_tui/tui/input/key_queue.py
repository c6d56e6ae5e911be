"""Serial key dispatch: each key waits until the action of the one before has finished.

Textual dispatches a key to whatever has the focus at that moment, and runs its action some message
queues later. When keys arrive together, as over a stuttering link, those typed after ``/`` or ``i``
went to the list instead of the input: ``/batch`` opened the alerts with its ``a``.
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

TIMEOUT_S = 1.0
"""After this a key is given up: its action is slow, or its widget was removed."""

_MOVES = frozenset({"up", "down", "pageup", "pagedown", "home", "end"})
"""Keys that only move within the focused widget. Held down on a stuttering link they arrive by the
hundred, so they do not wait for each other."""

TypedEvent = Key | Paste


class KeyBarrier(Message):
    """Follows a key through the message queues, up to the app.

    When the first barrier arrives, the key's action has run. The second one follows the messages
    that the action posted, such as a submitted line.
    """

    def __init__(self, target: Widget, *, again: bool = False) -> None:
        super().__init__()
        self.target = target
        self.again = again
        self.set_sender(target)  # otherwise it would not bubble up to the app


class KeyQueue:
    """Dispatches keys and pasted text in order.

    Args:
        app: the app; it calls :meth:`passed` when a :class:`KeyBarrier` has arrived.
        dispatch: passes an event to the widget that has the focus.
    """

    def __init__(self, app: App[Any], dispatch: Callable[[TypedEvent], Awaitable[None]]) -> None:
        self._app = app
        self._dispatch = dispatch
        self._queue: deque[TypedEvent] = deque()
        self._last: TypedEvent | None = None
        self._barrier: KeyBarrier | None = None
        self._timeout: asyncio.TimerHandle | None = None

    async def put(self, typed: TypedEvent) -> None:
        """Dispatch an event, now or after those before it."""
        self._queue.append(typed)
        if self._barrier is None:
            await self._dispatch_next()

    def passed(self, barrier: KeyBarrier) -> None:
        """Handle a barrier that arrived: post the second one, or release the next event.

        What the action posted to screen and app is handled before that too: it may change the
        focus or open the window that gets the next keys.
        """
        if barrier is not self._barrier:
            return
        if not barrier.again:
            self._barrier = KeyBarrier(barrier.target, again=True)
            if barrier.target.post_message(self._barrier):
                return
        app = self._app
        app.screen.call_later(app.call_later, self._done, self._barrier)

    async def _dispatch_next(self) -> None:
        app = self._app
        while self._queue and self._barrier is None:
            typed, target = self._queue.popleft(), app.focused or app.screen
            if isinstance(typed, Key) and typed.key in _MOVES:
                await self._dispatch(typed)
                continue
            self._last = typed
            barrier = self._barrier = KeyBarrier(target)
            loop = asyncio.get_running_loop()
            self._timeout = loop.call_later(TIMEOUT_S, app.call_later, self._give_up, typed)
            await self._dispatch(typed)
            if not target.post_message(barrier):
                self._release()

    async def _done(self, barrier: KeyBarrier) -> None:
        if barrier is self._barrier:
            self._release()
            await self._dispatch_next()

    async def _give_up(self, typed: TypedEvent) -> None:
        if typed is self._last:  # not if it passed while the timeout was being delivered
            self._release()
            await self._dispatch_next()

    def _release(self) -> None:
        self._barrier = None
        if self._timeout is not None:
            self._timeout.cancel()
            self._timeout = None
