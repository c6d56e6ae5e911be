"""Decides whether a task contains a text, and where, without I/O.

Redis itself is asked only whether the raw bytes of a field contain it. As protobuf keeps a text in
one piece, that misses nothing; which part of the message it stands in is decided here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from runqy_tui.model.search_query import SearchField, SearchQuery
from runqy_tui.redis.decoding.codec import DecodedMessage, cut_of, open_parts, open_whole
from runqy_tui.redis.task_reading.row_reading import RowEntry
from runqy_tui.text.safe import decode, encode

FIELDS: Mapping[SearchField, tuple[bytes, ...]] = {
    SearchField.ID: (),
    SearchField.TYPE: (b"msg", b"type"),
    SearchField.PAYLOAD: (b"msg", b"payload"),
    SearchField.RESULT: (b"result",),
    SearchField.ERROR: (b"msg", b"error_msg"),
    SearchField.HEADERS: (b"msg",),
    SearchField.ANY: (b"msg", b"type", b"payload", b"error_msg", b"result"),
}
"""Fields of a task's hash to search."""

_BEFORE, _AFTER = 24, 120
RAW = "raw msg"
"""The place of a hit in a message that cannot be decoded."""


class MatchValue(NamedTuple):
    """The part of a field that was read, and the full size of the field."""

    data: bytes
    size: int


class Matcher(NamedTuple):
    """The text to search for; ``raw`` is lower-case if ``fold`` is set."""

    raw: bytes
    fold: bool
    part: SearchField

    @classmethod
    def of(cls, search: SearchQuery) -> Matcher:
        """The matcher of a query."""
        raw = encode(search.text)
        return cls(raw.lower() if search.ignore_case else raw, search.ignore_case, search.part)

    @property
    def fields(self) -> tuple[bytes, ...]:
        """Fields to search."""
        return FIELDS[self.part]

    def find(self, data: bytes) -> int:
        """Position of the text in some bytes, -1 if they do not contain it."""
        return (data.lower() if self.fold else data).find(self.raw)

    def names(self, task_id: bytes) -> bool:
        """Whether an id alone is a hit."""
        if self.part is SearchField.ID:
            return self.find(task_id[: len(self.raw)]) == 0
        return self.part is SearchField.ANY and self.find(task_id) >= 0

    def match(self, task_id: bytes, values: Mapping[bytes, MatchValue]) -> tuple[str, str] | None:
        """Name of the place, and an excerpt with the text; ``None`` for no hit."""
        if self.names(task_id):
            return SearchField.ID.value, decode(task_id)
        for part, data in _texts(values):
            if self.part in (SearchField.ANY, part) or part == RAW:
                at = self.find(data)
                if at >= 0:
                    return str(part), excerpt(data, at, len(self.raw))
        return None


def _texts(values: Mapping[bytes, MatchValue]) -> Iterator[tuple[SearchField | str, bytes]]:
    value = values.get(b"msg")
    if value is not None:
        opened = _open(value)
        if not opened.message.decodable:
            yield RAW, value.data
        else:
            yield from _texts_of_message(opened)
    for part, name in (
        (SearchField.TYPE, b"type"),
        (SearchField.PAYLOAD, b"payload"),
        (SearchField.ERROR, b"error_msg"),
        (SearchField.RESULT, b"result"),
    ):
        if name in values:
            yield part, values[name].data


def _texts_of_message(opened: DecodedMessage) -> Iterator[tuple[SearchField, bytes]]:
    message = opened.message
    yield SearchField.TYPE, encode(message.type)
    if opened.payload is not None:
        yield SearchField.PAYLOAD, opened.payload.data
    if opened.error is not None:
        yield SearchField.ERROR, opened.error.data
    for header in message.headers.items():
        for text in header:
            yield SearchField.HEADERS, encode(text)


def _open(value: MatchValue) -> DecodedMessage:
    if len(value.data) >= value.size:
        return open_whole(value.data, value.size)
    cut = cut_of(value.data, value.size)
    return open_parts(value.data, cut, None, value.size, value.size) if cut else open_whole(b"", 0)


def excerpt(data: bytes, at: int, length: int) -> str:
    """The surroundings of a position, cut between characters, with dots where it was cut."""
    start, end = max(0, at - _BEFORE), min(len(data), at + min(length, _AFTER) + _AFTER)
    while start < at and data[start] & 0xC0 == 0x80:
        start += 1
    while end > at + 1 and end < len(data) and data[end] & 0xC0 == 0x80:
        end -= 1
    return f"{'…' if start else ''}{decode(data[start:end])}{'…' if end < len(data) else ''}"


VALUE_LIMIT = 64 * 1024
"""Bytes of a value that are searched. Redis copies a whole hash field to return a part of it."""

HEAD_LIMIT = 512 * 1024
"""Size of the largest value whose beginning is searched; a larger one is skipped."""


class Candidate(NamedTuple):
    """A task whose raw bytes or id contain the text."""

    entry: RowEntry
    values: Mapping[bytes, MatchValue]

    @property
    def cut(self) -> bool:
        """Whether a value of it was not read completely."""
        return any(len(value.data) < value.size for value in self.values.values())


class CandidateChunk(NamedTuple):
    """The result of one step in one list.

    ``start`` is where in the window it began, ``None`` where the place was lost; ``last`` are the
    ids that it searched last. ``cost_us`` is the time it took the server, about. ``whole``:
    nothing but the window's end stopped it.
    """

    length: int
    start: int | None
    searched: int
    partly: int
    cost_us: int
    whole: bool
    candidates: tuple[Candidate, ...]
    last: tuple[bytes, ...]
