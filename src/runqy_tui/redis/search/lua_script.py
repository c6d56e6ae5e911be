"""Search by a read-only script, which goes through a window and returns only the candidates.

One command per window instead of two per task, and over a slow link a hundredth of the bytes. It
stops by itself: by the server's clock where scripts have one (Redis 7.2, Valkey), and everywhere
by a count of what it did. ``SORT_RO … GET`` would take half the time, but it reads whole values of
any size, sends all of them, and Redis lets only those use it who may read every key.
"""

from __future__ import annotations

from collections.abc import Iterator

from redis.exceptions import ResponseError

from runqy_tui.redis.search.list_cursor import ANCHORS
from runqy_tui.redis.search.matcher import (
    HEAD_LIMIT,
    VALUE_LIMIT,
    Candidate,
    CandidateChunk,
    Matcher,
    MatchValue,
)
from runqy_tui.redis.search.search_scope import SearchList
from runqy_tui.redis.task_reading.row_reading import RowEntry
from runqy_tui.redis.wire.replies import Reply, ReplySlot, integer, items, score, strings
from runqy_tui.redis.wire.transport import Batch

BUDGET_US = 1_500
"""Microseconds of the server's time for all scripts of one step."""

_LEAST_US = 100
_MOST_BYTES = 256 * 1024
"""Size of the candidates in one reply at which a step ends."""

_PARTS = 8

SCRIPT = """
local has_clock, clock = pcall(function() return os.clock end)
local began = has_clock and clock() or 0
local scored, budget, prefix = ARGV[1] == 'z', tonumber(ARGV[4]), ARGV[5]
local needle, fold, by_id = ARGV[6], ARGV[7] == '1', ARGV[8]
local limit, head, room = tonumber(ARGV[9]), tonumber(ARGV[10]), tonumber(ARGV[11])
local names, known, count = {}, {}, tonumber(ARGV[12])
for i = 1, count do names[i] = ARGV[12 + i] end
for i = 13 + count, #ARGV do known[ARGV[i]] = true end
local lower, find, sub, call = string.lower, string.find, string.sub, redis.pcall
local function stands(text) return find(fold and lower(text) or text, needle, 1, true) end
local all, length, step
if scored then
  length, step = redis.call('ZCARD', KEYS[1]), 2
  all = redis.call('ZREVRANGE', KEYS[1], ARGV[2], ARGV[3], 'WITHSCORES')
else
  length, step = redis.call('LLEN', KEYS[1]), 1
  all = redis.call('LRANGE', KEYS[1], ARGV[2], ARGV[3])
end
local first, found, last, partly, spent = 1, {}, {}, 0, #all / 10
if next(known) then
  first = 0
  for i = #all - step + 1, 1, -step do
    if known[all[i]] then first = i + step break end
  end
end
local i, unclocked = first, 0
while first > 0 and i <= #all do
  local id = all[i]
  local key = prefix .. id
  local hit, cut, message, values = false, false, false, {}
  if by_id ~= '' then
    local at = stands(id)
    hit = at == 1 or (at and by_id == 'in')
  end
  for f = 1, count do
    local name = names[f]
    if not (message and (name == 'type' or name == 'payload')) then
      local size = call('HSTRLEN', key, name)
      spent = spent + 1
      if type(size) == 'table' and not find(size.err, 'WRONGTYPE', 1, true) then return size end
      if type(size) == 'number' and size > 0 then
        message = message or name == 'msg'
        local value = ''
        if size <= head then
          value = call('HGET', key, name)
          if type(value) ~= 'string' then value = '' end
          spent = spent + 1 + size / 512
          if size > limit then value = sub(value, 1, limit) end
        end
        cut = cut or #value < size
        hit = hit or stands(value)
        spent = spent + #value / 256
        values[#values + 1] = name
        values[#values + 1] = size
        values[#values + 1] = value
      end
    end
  end
  if hit then
    found[#found + 1] = {id, scored and all[i + 1] or '', values}
    for v = 3, #values, 3 do room = room - #values[v] end
    room = room - #id
  elseif cut then
    partly = partly + 1
  end
  i = i + step
  if spent > budget or room < 0 then break end
  if has_clock and spent - unclocked > 20 then
    unclocked = spent
    if (clock() - began) * 1000000 > budget then break end
  end
end
for k = math.max(first, i - ANCHORS * step), i - step, step do
  if k >= 1 then last[#last + 1] = all[k] end
end
if has_clock then spent = (clock() - began) * 1000000 end
return {length, first > 0 and (first - 1) / step or -1, first > 0 and (i - first) / step or 0,
  partly, math.ceil(spent), i > #all and 1 or 0, last, found}
""".replace("ANCHORS", str(ANCHORS))


def ask(
    batch: Batch, source: SearchList, matcher: Matcher, amount: int, together: int
) -> ReplySlot[CandidateChunk | ResponseError]:
    """Add a step of one list; ``together`` scripts share the server's time for a step."""
    first, final = source.cursor.window(amount)
    by_id = {"id": "from", "any": "in"}.get(matcher.part.value, "")
    anchors = source.cursor.anchors
    return batch.ask(
        "EVAL_RO",
        SCRIPT,
        1,
        source.key,
        "z" if source.cursor.scored else "l",
        first,
        final,
        max(_LEAST_US, BUDGET_US // together),
        source.task_prefix,
        matcher.raw,
        int(matcher.fold),
        by_id,
        VALUE_LIMIT,
        HEAD_LIMIT,
        _MOST_BYTES,
        len(matcher.fields),
        *matcher.fields,
        *anchors,
        parse=parse_chunk,
    )


def parse_chunk(reply: Reply) -> CandidateChunk | ResponseError:
    """The chunk that a script found; an error where it was refused or replied in another form."""
    if isinstance(reply, ResponseError):
        return reply
    parts = items(reply)
    numbers = [integer(part) for part in parts[:6]]
    if len(parts) != _PARTS or None in numbers:
        return ResponseError("the script returned a reply of another form")
    length, start, searched, partly, cost, whole = (number or 0 for number in numbers)
    return CandidateChunk(
        length=length,
        start=None if start < 0 else start,
        searched=searched,
        partly=partly,
        cost_us=cost,
        whole=bool(whole),
        candidates=tuple(_candidates(parts[7])),
        last=tuple(strings(parts[6])),
    )


def _candidates(reply: Reply) -> Iterator[Candidate]:
    for found in items(reply):
        parts = items(found)
        task_id, raw_score, fields = (*parts, None, None, None)[:3]
        read = items(fields)
        if isinstance(task_id, bytes):
            values = {
                name: MatchValue(text, size)
                for name, size, text in zip(read[::3], read[1::3], read[2::3], strict=False)
                if isinstance(name, bytes) and isinstance(size, int) and isinstance(text, bytes)
            }
            yield Candidate(RowEntry(task_id, score(raw_score)), values)
