"""The readable tables: urgent rows first, columns that line up, and text that cannot lie."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from runqy_tui.commands.snapshot_command import snapshot_text, task_text
from runqy_tui.model import (
    Blob,
    Counts,
    Dialect,
    QueueKey,
    RedisInfo,
    Task,
    TaskState,
    WorkerState,
)
from runqy_tui.text.terminal_encoding import for_encoding
from tests.support.builders import NOW, queue, snapshot, task, waiting, worker

HOSTILE = "x\x1b[2J\x1b]52;c;aGk=\x07\n✖  forged.queue  9\r\u202e\ud800\x9b"


def harmless(text: str) -> bool:
    return all(
        char.isprintable() or char == "\n" or unicodedata.category(char) == "Zs" for char in text
    )


def rows(text: str, head: str) -> list[str]:
    """Lines of the table whose heading contains ``head``."""
    block = next(part for part in text.split("\n\n") if head in part.partition("\n")[0])
    return block.split("\n")[1:]


def test_an_empty_redis() -> None:
    text = snapshot_text(snapshot(redis=RedisInfo("127.0.0.1:6379")))
    first, _, workers, _, queues = text.split("\n")
    assert first.startswith(
        "127.0.0.1:6379  version unknown  mode unknown  2026-11-24 01:28:54 UTC"
    )
    assert first.endswith("0 round trips, 0 ms")
    assert (workers, queues) == ("No workers.", "No queues.")


def test_the_most_urgent_rows_come_first() -> None:
    seen = snapshot(
        workers=(
            worker("a-fine"),
            worker("b-stopped", WorkerState.STOPPED),
            worker("c-degraded", WorkerState.DEGRADED),
            worker("d-stale", WorkerState.STALE),
            worker("e-degraded", WorkerState.DEGRADED),
        ),
        queues=(
            queue("a.idle"),
            queue("b.busy", counts=waiting(9), consumers=("a-fine",)),
            queue("c.lonely", counts=waiting(1)),
            queue("d.lonely", counts=waiting(5)),
        ),
    )
    text = snapshot_text(seen)
    assert [row.split()[1] for row in rows(text, "WORKER")] == [
        "c-degraded",
        "e-degraded",
        "d-stale",
        "a-fine",
        "b-stopped",
    ]
    assert [row.split()[:2] for row in rows(text, "QUEUE  ")] == [
        ["✖", "d.lonely"],
        ["✖", "c.lonely"],
        ["●", "b.busy"],
        ["○", "a.idle"],
    ]


def test_a_queue_row_in_full() -> None:
    one = queue(
        "inference.high",
        counts=Counts(1234, 2, 0, 4, None, 6, 0),
        oldest_pending_age_s=90,
        succeeded_today=70,
        failed_today=None,
        consumers=("gpu-1:1",),
    )
    text = snapshot_text(snapshot(queues=(one,), workers=(worker("gpu-1:1"),)))
    (row,) = rows(text, "QUEUE  ")
    cells = ["!", "inference.high", "1,234", "2", "·", "4", "–", "6", "·", "1m", "70", "–", "1"]
    assert row.split() == [*cells, "1,234", "pending"]


def test_numbers_line_up_on_the_right() -> None:
    many = tuple(f"w{i}" for i in range(12))
    seen = snapshot(
        queues=(
            queue("a", counts=waiting(5), consumers=many[:1]),
            queue("bb", counts=waiting(12_345), consumers=many),
        )
    )
    head, one, two = snapshot_text(seen).split("\n\n")[-1].split("\n")
    end = head.index("PENDING") + len("PENDING")
    ends = {line[:end].rstrip() == line[:end] for line in (head, one, two)}
    assert ends == {True}
    consumers = head.index("CONSUMERS") + len("CONSUMERS")
    assert {line[consumers - 1] for line in (one, two)} == {"1", "2"}


def test_a_worker_row_in_full() -> None:
    one = worker(
        "gpu-1:812",
        concurrency=4,
        active_count=3,
        queues={"inference.high": 10, "inference.low": 1},
    )
    (row,) = rows(snapshot_text(snapshot(workers=(one,))), "WORKER")
    cells = ["●", "gpu-1:812", "running", "2s", "runqy", "inference.high inference.low", "3/4"]
    assert [cell.strip() for cell in row.split("  ") if cell] == cells


def test_a_list_without_braces_is_told_from_the_queue_of_the_same_name() -> None:
    both = (queue("a"), queue("a", braced=False, dialect=Dialect.DOCUMENTED))
    text = snapshot_text(snapshot(queues=both))
    assert sorted(row[3:].split("  ")[0] for row in rows(text, "QUEUE  ")) == [
        "a",
        "a (no braces)",
    ]


def test_wide_characters_keep_the_columns_together() -> None:
    seen = snapshot(queues=(queue("日本", counts=waiting(7)), queue("abcd", counts=waiting(3))))
    wide, narrow = rows(snapshot_text(seen), "QUEUE  ")
    assert wide.index("7") + 2 == narrow.index("3")  # two characters, each of two cells


def test_a_long_name_is_cut_with_a_sign() -> None:
    (row,) = rows(snapshot_text(snapshot(queues=(queue("n" * 300),))), "QUEUE  ")
    assert "n" * 47 + "…" in row
    assert len(row) < 200


@settings(deadline=None)
@given(st.text(st.characters(), min_size=1, max_size=60))
@example(HOSTILE)
def test_no_name_can_forge_a_line_or_reach_the_terminal(name: str) -> None:
    plain = snapshot(
        redis=RedisInfo("r", "m", "v"),
        queues=(queue("q"),),
        workers=(worker("w", queues={"q": 1}),),
        warnings=("w",),
    )
    hostile = snapshot(
        redis=RedisInfo(name, name, name),
        queues=(queue(name),),
        workers=(worker(name, queues={name: 1}, problems=(name,)),),
        warnings=(name,),
    )
    text = snapshot_text(hostile)
    assert harmless(text)
    assert text.count("\n") == snapshot_text(plain).count("\n")
    text.encode("utf-8")


@settings(deadline=None)
@given(st.text(st.characters(), min_size=1, max_size=60))
@example(HOSTILE)
def test_no_field_of_a_task_can_forge_a_line(value: str) -> None:
    def shown(text: str) -> str:
        return task_text(
            task(
                text,
                name=text,
                type=text,
                group=text,
                headers={text: text},
                notes=(text,),
                decodable=False,
            )
        )

    text = shown(value)
    assert harmless(text)
    assert text.count("\n") == shown("x").count("\n")


@settings(deadline=None)
@given(st.text(st.characters(), max_size=80))
@example("x\n\nresult (2 B)\n  forged\nstate          completed")
@example("a\rstate completed\x0bqueue q\x85task t\u2028error e")
def test_no_line_of_a_payload_passes_for_one_of_ours(value: str) -> None:
    raw = value.encode("utf-8", "replace")
    lines = task_text(task(payload=Blob(raw, len(raw)))).split("\n")
    start = next(index for index, line in enumerate(lines) if line.startswith("payload ("))
    assert all(line.startswith("  ") or not line for line in lines[start + 1 :])
    assert harmless("\n".join(lines))
    assert sum(len(line.splitlines()) > 1 for line in lines) == 0


def test_a_task_in_full() -> None:
    full = task(
        state=TaskState.ACTIVE,
        orphaned=True,
        type="inference.low",
        dialect=Dialect.RUNQY,
        retried=1,
        max_retry=0,
        timeout_s=60,
        lease_expires_at=NOW,
        group="g",
        headers={"trace": "abc"},
        notes=("Other queues hold this id too: b",),
        decodable=False,
        payload=Blob(b'{"a": 1}', 8),
        error=Blob(b"boom\n at x", 10),
        result=Blob(b"\x00\xff", 2),
    )
    lines = task_text(full).split("\n")
    assert [line.rstrip() for line in lines] == [
        "task           id-1",
        "queue          inference.low",
        "state          active (orphaned)",
        "type           inference.low",
        "dialect        runqy",
        "retries        1 of 0",
        next(line for line in lines if line.startswith("lease until    2026-11-24 01:28:54 UTC")),
        "timeout        60 s",
        "group          g",
        "header trace   abc",
        "note           Other queues hold this id too: b",
        "note           msg cannot be decoded; see --json for its raw bytes",
        "",
        "error (10 B)",
        "  boom",
        "   at x",
        "",
        "payload (8 B)",
        '  {"a": 1}',
        "",
        "result (2 B, binary)",
        "  00 ff",
    ]


def test_a_task_of_which_little_is_known() -> None:
    bare = Task(id="i", queue=QueueKey("", braced=False), taken_at=NOW)
    assert task_text(bare).split("\n") == [
        "task           i",
        "queue          unknown",
        "state          unknown",
    ]


@pytest.mark.parametrize(
    ("blob", "head", "body"),
    [
        (Blob(b"a" * 5000, 5000), "payload (4.9 KiB, first 3.9 KiB shown)", "  " + "a" * 4000),
        (Blob(b"abc", 10 * 1024**2), "payload (10 MiB, first 3 B shown)", "  abc"),
        (Blob("é".encode()[:1], 50), "payload (50 B, first 0 B shown)", ""),
        (Blob(b"", 50), "payload (50 B, first 0 B shown)", ""),
        (Blob(b"", 0), "payload (0 B)", ""),
        (Blob(b"\xff" * 3, 3), "payload (3 B, binary)", "  ff ff ff"),
        (
            Blob(b"\xff" * 300, 900),
            "payload (900 B, binary, first 256 B shown)",
            "  " + " ".join(["ff"] * 256),
        ),
    ],
)
def test_a_value_says_what_was_left_out(blob: Blob, head: str, body: str) -> None:
    lines = task_text(task(payload=blob)).split("\n")
    assert lines[-2:] == [head, body]


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", None, "no-such-encoding"])
def test_a_stream_without_utf8_gets_ascii_signs(encoding: str | None) -> None:
    seen = snapshot(
        workers=(worker("wörker", WorkerState.DEGRADED), worker("fine")),
        queues=(queue("日本"), queue("n" * 60)),
    )
    text = for_encoding(snapshot_text(seen), encoding)
    text.encode("ascii")
    assert "X  w?rker" in text
    assert "*  fine" in text
    assert "o  ??" in text
    assert "n~" in text


def test_a_stream_with_utf8_gets_the_text_as_it_is() -> None:
    text = snapshot_text(snapshot(workers=(worker("wörker"),)))
    assert for_encoding(text, "utf-8") is text
    assert for_encoding("plain", "ascii") == "plain"
