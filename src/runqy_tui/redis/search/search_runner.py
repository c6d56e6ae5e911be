"""Runs a search from its first list to its last: one step at a time, with a rest after each."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Collection, Iterable
from itertools import groupby
from time import monotonic

from redis.exceptions import ResponseError

from runqy_tui.model import QueueKey
from runqy_tui.model.search_query import SearchHit, SearchProgress, SearchQuery, SearchStep
from runqy_tui.redis.read_context import ReadContext
from runqy_tui.redis.search import fallback, lua_script
from runqy_tui.redis.search.matcher import CandidateChunk, Matcher
from runqy_tui.redis.search.search_scope import ScopeSurvey, SearchList
from runqy_tui.redis.task_reading.row_reading import RowEntry, read_rows
from runqy_tui.redis.wire.replies import UnreachableError, wrong_type
from runqy_tui.redis.wire.transport import Batch

WINDOW = 1_000
"""Largest number of tasks of one step, in all its lists together."""

PLAIN_WINDOW = 250
"""The same without a script, where each task costs some commands."""

_LEAST_WINDOW = 64
_LISTS_PER_STEP = 16
_ROWS = 200
_REST_SHARE = 0.5
"""Rest as a fraction of the server time of a step: a search uses at most two thirds of it."""

_REST_MOST_S = 0.02
_ROUNDS = 3
"""Passes through a list after which it counts as one that changes faster than it is read."""


class SearchRunner:
    """Searches list by list, and remembers the tasks that it has found."""

    def __init__(
        self, context: ReadContext, search: SearchQuery, known: Collection[QueueKey]
    ) -> None:
        self._context = context
        self._search = search
        self._matcher = Matcher.of(search)
        self._survey = ScopeSurvey(context, search, known)
        self._scripts = True
        self._window = WINDOW
        self._seen: set[tuple[bytes, QueueKey]] = set()
        self._began = monotonic()
        self._total = self._looked = self._partly = 0
        self._uncertain = 0

    async def steps(self) -> AsyncGenerator[SearchStep, None]:
        """Search. The first step follows the count of the lists, the last one is ``done``.

        Raises ``ConnectionFailedError`` or ``AccessDeniedError``.
        """
        todo = await self._survey.read_lists()
        self._total = sum(source.cursor.length for source in todo)
        yield self._step(())
        while todo and not self._full:
            chosen, amounts = self._choose(todo)
            chunks = await self._read_chunks(chosen, amounts)
            hits = await self._collect(chosen, chunks)
            todo = [source for source in todo if source.cursor.left]
            yield self._step(hits)
            cost_s = sum(chunk.cost_us for chunk in chunks if chunk) / 1e6
            await asyncio.sleep(min(_REST_MOST_S, _REST_SHARE * cost_s))
        yield self._step((), done=True)

    @property
    def _full(self) -> bool:
        return len(self._seen) >= self._search.most

    def _scripted(self, source: SearchList) -> bool:
        return self._scripts and source.queue.braced

    def _choose(self, todo: list[SearchList]) -> tuple[list[SearchList], list[int]]:
        """The next lists, as many as fill a window, all of them read in the same way."""
        scripted = self._scripted(todo[0])
        room = self._window if scripted else PLAIN_WINDOW
        chosen: list[SearchList] = []
        amounts: list[int] = []
        for source in todo:
            if self._scripted(source) == scripted:
                chosen.append(source)
                amounts.append(min(room, source.cursor.left))
                room -= amounts[-1]
            if room <= 0 or len(chosen) >= _LISTS_PER_STEP:
                break
        return chosen, amounts

    async def _read_chunks(
        self, sources: list[SearchList], amounts: list[int]
    ) -> list[CandidateChunk | None]:
        replies: list[CandidateChunk | ResponseError]
        scripted = self._scripted(sources[0])
        if scripted:
            replies = await self._read_by_script(sources, amounts)
        else:
            replies = await fallback.read_chunks(self._context, sources, self._matcher, amounts)
        chunks: list[CandidateChunk | None] = []
        for source, reply in zip(sources, replies, strict=True):
            if isinstance(reply, CandidateChunk):
                chunks.append(reply)
                continue
            chunks.append(None)
            if scripted and not (wrong_type(reply) or isinstance(reply, UnreachableError)):
                self._scripts = False  # all further steps are read without one
            else:
                self._survey.note_error(reply, source.key)
                source.cursor.abandon()
        return chunks

    async def _read_by_script(
        self, sources: list[SearchList], amounts: list[int]
    ) -> list[CandidateChunk | ResponseError]:
        batch = Batch()
        slots = [
            lua_script.ask(batch, source, self._matcher, amount, len(sources))
            for source, amount in zip(sources, amounts, strict=True)
        ]
        replies = await self._context.trip(batch)
        return [slot.value(replies) for slot in slots]

    async def _collect(
        self, sources: list[SearchList], chunks: list[CandidateChunk | None]
    ) -> tuple[SearchHit, ...]:
        found: list[tuple[SearchList, RowEntry, tuple[str, str]]] = []
        for source, chunk in zip(sources, chunks, strict=True):
            if chunk is None:
                continue
            cursor = source.cursor
            cursor.advance(chunk.length, chunk.start, chunk.searched, chunk.last)
            source.searched += chunk.searched
            self._looked += chunk.searched
            self._partly += chunk.partly
            for candidate in chunk.candidates:
                match = self._matcher.match(candidate.entry.task_id, candidate.values)
                if match is None:
                    self._partly += candidate.cut
                elif not self._full and self._is_new(candidate.entry, source.queue):
                    found.append((source, candidate.entry, match))
            self._check_pace(source)
        self._adapt_window(chunks)
        return await self._hits(found)

    def _is_new(self, entry: RowEntry, queue: QueueKey) -> bool:
        key = (entry.task_id, queue)
        if key in self._seen:
            return False
        self._seen.add(key)
        return True

    def _check_pace(self, source: SearchList) -> None:
        """End the search of a list that changes faster than it can be read."""
        if source.searched > _ROUNDS * self._total + 10 * WINDOW:
            source.cursor.uncertain = True
            source.cursor.abandon()
        if source.cursor.uncertain and not source.cursor.left:
            self._uncertain += 1

    def _adapt_window(self, chunks: list[CandidateChunk | None]) -> None:
        """Set the window to as many tasks as a script gets through in its time."""
        for chunk in chunks:
            if chunk is not None and chunk.start is not None and not chunk.whole:
                self._window = max(_LEAST_WINDOW, min(WINDOW, chunk.searched * 5 // 4))
                return
        self._window = min(WINDOW, self._window * 3 // 2)

    async def _hits(
        self, found: list[tuple[SearchList, RowEntry, tuple[str, str]]]
    ) -> tuple[SearchHit, ...]:
        hits: list[SearchHit] = []
        for _, group in groupby(found, key=lambda one: id(one[0])):
            ours = list(group)
            source = ours[0][0]
            for part in _parts(ours):
                entries = [entry for _, entry, _ in part]
                rows = await read_rows(
                    self._context, source.queue, source.state, entries, self._survey.now
                )
                hits += [
                    SearchHit(source.queue, row, *match)
                    for row, (_, _, match) in zip(rows, part, strict=True)
                ]
        return tuple(hits)

    def _step(self, hits: tuple[SearchHit, ...], *, done: bool = False) -> SearchStep:
        notes = self._survey.notes
        if self._uncertain:
            notes += ("lists changed faster than they could be read: hits may be missing",)
        return SearchStep(
            hits,
            SearchProgress(
                searched=min(self._looked, self._total) if not done else self._looked,
                total=self._total,
                found=len(self._seen),
                partly=self._partly,
                elapsed_s=monotonic() - self._began,
                done=done,
                full=done and self._full,
                notes=notes,
            ),
        )


def _parts(
    found: list[tuple[SearchList, RowEntry, tuple[str, str]]],
) -> Iterable[list[tuple[SearchList, RowEntry, tuple[str, str]]]]:
    for start in range(0, len(found), _ROWS):
        yield found[start : start + _ROWS]
