"""The log of a runqy worker: its newest lines, within limits of number and size."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import NamedTuple

from runqy_tui.model import LogBatch, LogLine
from runqy_tui.redis import keys
from runqy_tui.redis.decoding import field_parsing
from runqy_tui.redis.read_context import ReadContext, TopicReads
from runqy_tui.redis.wire.replies import Reply, data, integer, items, refused, strings
from runqy_tui.redis.wire.transport import Batch
from runqy_tui.text.safe import decode

MOST_LINES = 500
MOST_LINE_BYTES = 16 * 1024
"""Of a longer line the beginning is kept, and the end, which holds ``seq``."""

MOST_BYTES = 8 * 1024 * 1024
"""Total size of lines at which no older line is read."""

_END = 128
_STEP = 8
_MOST_SEQ = 2**53
_SEQ = re.compile(rb'"seq":\s?(\d{1,16})\s?\}\s*$')
_TEXT = b'"text":"'

_TAIL = (
    "local n,most,room=tonumber(ARGV[1]),tonumber(ARGV[2]),tonumber(ARGV[3]) "
    "local out,total,at={},0,-1 while -at<=n and total<room do "
    f"local v=redis.call('lrange',KEYS[1],math.max(at-{_STEP - 1},-n),at) "
    "for i=#v,1,-1 do local l=v[i] total=total+#l "
    f"if #l>most then l={{#l,string.sub(l,1,most),string.sub(l,-{_END})}} end out[#out+1]=l end "
    f"if #v<{_STEP} then break end at=at-{_STEP} end return out"
)
"""The newest lines first, long ones in part: Redis itself cuts no element of a list."""

Raw = bytes | tuple[int, bytes, bytes]
"""A line, or the size, beginning and end of a long one."""


class Tail(NamedTuple):
    """The newest lines, oldest first; ``refusal`` is the error reply in their place.

    ``partial``: older lines were not read, because of the total size.
    """

    lines: Sequence[Raw] = ()
    refusal: Reply = None
    partial: bool = False


class WorkerLogReads(TopicReads):
    """Reads the logs of runqy workers."""

    async def logs(self, worker_id: str, after_seq: int = -1) -> LogBatch:
        """Log lines of a runqy worker with ``seq`` above ``after_seq``.

        With one below 0 only the gaps between the lines count as missed.
        Raises ``ConnectionFailedError`` or ``AccessDeniedError`` if the log cannot be read.
        """
        key = keys.worker_logs(worker_id)
        tail = await read_tail(self._context, key)
        self._context.require(tail.refusal)
        parsed = [line(raw) for raw in tail.lines]
        found = {line.seq: line for line in parsed if line is not None}
        lines = [found[seq] for seq in sorted(found) if seq > after_seq]
        problem = self._context.describe_error(tail.refusal, key)
        if tail.partial:
            problem = f"The log is over {MOST_BYTES // 2**20} MiB: its older lines are not read"
        return LogBatch(
            lines=tuple(lines),
            missed=_missed([line.seq for line in lines], after_seq),
            exists=bool(tail.lines),
            undecodable=sum(line is None for line in parsed),
            problem=problem,
        )


def _missed(seqs: Sequence[int], after_seq: int) -> int:
    if not seqs:
        return 0
    before = after_seq if after_seq >= 0 else seqs[0] - 1
    return seqs[-1] - before - len(seqs)


async def read_tail(context: ReadContext, key: bytes) -> Tail:
    """Read the newest lines, at most :data:`MOST_LINES` and about :data:`MOST_BYTES`.

    Raises ``ConnectionFailedError`` or ``AccessDeniedError`` if the log cannot be read.
    """
    batch = Batch()
    newest = batch.ask("EVAL_RO", _TAIL, 1, key, MOST_LINES, MOST_LINE_BYTES, MOST_BYTES)
    reply = (await context.trip(batch))[newest]
    if refused(reply):
        return await _read_in_steps(context, key)
    if not isinstance(reply, list):
        return Tail(refusal=reply)
    lines = [line for line in map(_raw, reversed(reply)) if line is not None]
    size = sum(each[0] if isinstance(each, tuple) else len(each) for each in lines)
    return Tail(lines, partial=size >= MOST_BYTES and len(lines) < MOST_LINES)


async def _read_in_steps(context: ReadContext, key: bytes) -> Tail:
    """Without a script: few lines first, then more, depending on the size of these."""
    found: list[Raw] = []
    room, step, longest = MOST_BYTES, _STEP, 1
    while step > 0:
        batch = Batch()
        older = batch.ask("LRANGE", key, -len(found) - step, -len(found) - 1)
        reply = (await context.trip(batch))[older]
        context.require(reply)
        if not isinstance(reply, list):
            return Tail(refusal=reply)
        lines = strings(reply)
        found += map(_shortened, reversed(lines))
        if len(lines) < step:
            return Tail(found[::-1])
        room -= sum(map(len, lines))
        longest = max(longest, *map(len, lines))
        step = max(0, min(MOST_LINES - len(found), room // longest, 8 * step))
    return Tail(found[::-1], partial=len(found) < MOST_LINES)


def line(raw: Raw) -> LogLine | None:
    """Parse a line; ``None`` if it is malformed."""
    if isinstance(raw, tuple):
        return _long(*raw)
    entry = field_parsing.json_object(raw)
    if entry is None:
        return None
    return _checked(entry, entry.get("seq"), entry.get("text"))


def _long(size: int, head: bytes, end: bytes) -> LogLine | None:
    seq, before = _SEQ.search(end), head.find(_TEXT)
    if seq is None or before < 0:
        return None
    entry = field_parsing.json_object(head[:before].rstrip(b", ") + b"}") or {}
    text = _beginning(head[before + len(_TEXT) :])
    shown = None if text is None else f"{text}… ({size:,} bytes)"
    return _checked(entry, int(seq[1]), shown)


def _beginning(body: bytes) -> str | None:
    """The text of a JSON string that is cut off, possibly within an escape."""
    spelled = decode(body)
    for less in range(13):
        try:
            text = json.loads(f'"{spelled[: len(spelled) - less]}"')
        except ValueError:
            continue
        return text if isinstance(text, str) else None
    return None


def _checked(entry: dict[str, object], seq: object, text: object) -> LogLine | None:
    if isinstance(seq, bool) or not isinstance(seq, int) or not isinstance(text, str):
        return None
    if not 0 <= seq <= _MOST_SEQ:
        return None
    source, stamp = entry.get("src"), field_parsing.number(entry.get("ts"))
    return LogLine(
        seq=seq,
        text=text,
        source=source if isinstance(source, str) else None,
        at=stamp / 1000 if stamp and stamp > 0 else None,
    )


def _raw(reply: Reply) -> Raw | None:
    if isinstance(reply, bytes):
        return reply
    parts = items(reply)
    size, rest = integer(parts[0]) if parts else None, [data(part) for part in parts[1:]]
    if size is None or len(rest) != 2:
        return None
    return size, rest[0] or b"", rest[1] or b""


def _shortened(whole: bytes) -> Raw:
    if len(whole) <= MOST_LINE_BYTES:
        return whole
    return len(whole), whole[:MOST_LINE_BYTES], whole[-_END:]
