"""Errors of one kind have one key, whatever run, machine or task they come from."""

from __future__ import annotations

import re
from time import perf_counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runqy_tui.diagnosis.signatures import signature
from runqy_tui.diagnosis.signatures.error_signature import parse_error
from runqy_tui.redis.task_reading.row_reading import ERROR_CHARS

RUNNER = (
    "permanent failure: Traceback (most recent call last):\n"
    '  File "{home}/.venv/lib/python3.11/site-packages/runqy_python/runner.py", line 118, in run\n'
    "    result = handler(payload, ctx)\n"
    "             ^^^^^^^^^^^^^^^^^^^^^\n"
)
OWN = '  File "{home}/main.py", line {line}, in {function}\n    work(payload)\n'
LIBRARY = (
    '  File "{home}/.venv/lib/python3.11/site-packages/torch/nn/modules/linear.py", line 125,'
    " in forward\n    return F.linear(input)\n"
)
STDLIB = '  File "/usr/lib/python3.11/json/decoder.py", line 355, in raw_decode\n    raise x\n'


def python(
    *parts: str,
    home: str = "/opt/runqy/deploy/image/image",
    line: int = 71,
    function: str = "handle",
) -> str:
    text = "".join((RUNNER, *parts))
    return text.replace("{home}", home).replace("{line}", str(line)).replace("{function}", function)


def cut(text: str, tail: bool = True) -> str:
    """As the reader keeps a long error: both ends, or the beginning alone."""
    head = ERROR_CHARS // 4
    return f"{text[:head]}\n…\n{text[-3 * head :] if tail else ''}"


def test_a_traceback_is_told_by_its_type_its_message_and_the_innermost_own_frame() -> None:
    text = python(OWN, LIBRARY, "torch.OutOfMemoryError: CUDA out of memory. Tried 2.50 GiB.\n")
    found = signature(text)
    assert found.title == "torch.OutOfMemoryError: CUDA out of memory. Tried <size>."
    assert found.frame == "image/main.py:71 in handle"


@pytest.mark.parametrize(
    "other",
    [
        python(OWN, LIBRARY, "E: tried 9 of 512 MiB\n"),
        python(OWN, LIBRARY, "E: tried 3 of 4 MiB\n", line=99),
        python(OWN, LIBRARY, "E: tried 3 of 4 MiB\n", home="/srv/b/deploy/image/image"),
        python(OWN, STDLIB, "E: tried 3 of 4 MiB\n"),
        python(OWN, LIBRARY, "E: tried 3 of 4 MiB\n").removeprefix("permanent failure: "),
        python(OWN, LIBRARY, "E: tried 3 of 4 MiB (will retry)"),
        python(OWN, LIBRARY, "E: tried 3 of 4 MiB\nand more on a line of its own: 17\n"),
    ],
)
def test_line_numbers_folders_library_frames_and_marks_make_no_difference(other: str) -> None:
    assert signature(python(OWN, LIBRARY, "E: tried 3 of 4 MiB\n")).key == signature(other).key


@pytest.mark.parametrize(
    "other",
    [
        python(OWN, "F: tried 3\n"),
        python(OWN, "E: failed 3\n"),
        python(OWN, "E: tried 3\n", function="load"),
        python(OWN, "E: tried 3\n", home="/opt/runqy/deploy/video/video"),
        python("E: tried 3\n"),
        "E: tried 3",
    ],
)
def test_type_message_function_and_file_make_one(other: str) -> None:
    assert signature(python(OWN, "E: tried 3\n")).key != signature(other).key


def test_without_an_own_frame_the_innermost_one_is_named_by_its_package() -> None:
    assert signature(python(LIBRARY, "E: x\n")).frame == "torch/nn/modules/linear.py:125 in forward"


def test_of_chained_exceptions_the_last_counts() -> None:
    chained = python(
        OWN.replace("{function}", "post"),
        "urllib.error.URLError: <urlopen error [Errno 111] Connection refused>\n\n"
        "During handling of the above exception, another exception occurred:\n\n"
        "Traceback (most recent call last):\n",
        OWN,
        "__main__.DeliveryError: gave up on https://hooks.example.com/initech\n",
    )
    found = signature(chained)
    assert found.title == "DeliveryError: gave up on <url>"
    assert found.frame == "image/main.py:71 in handle"


def test_of_an_exception_group_the_last_one_inside_counts() -> None:
    text = (
        "  + Exception Group Traceback (most recent call last):\n"
        '  |   File "/app/a/main.py", line 3, in handle\n'
        "  | ExceptionGroup: two (2 sub-exceptions)\n"
        "  +-+---------------- 1 ----------------\n"
        "    | Traceback (most recent call last):\n"
        '    |   File "/app/a/main.py", line 9, in one\n'
        "    | ValueError: bad 1\n"
        "    +---------------- 2 ----------------\n"
        "    | Traceback (most recent call last):\n"
        '    |   File "/app/a/main.py", line 12, in two\n'
        "    | KeyError: 'x'\n"
        "    +------------------------------------\n"
    )
    found = signature(text)
    assert (found.title, found.frame) == ("KeyError: '…'", "a/main.py:12 in two")


def test_a_syntax_error_and_a_message_on_the_next_line() -> None:
    header = "Traceback (most recent call last):\n"
    text = f'{header}  File "/app/a/b.py", line 3\n    x x\nSyntaxError: no\n'
    assert signature(text).frame == "a/b.py:3"
    text = python(OWN, "RuntimeError: \nError(s) in loading state_dict for X: 3\n")
    assert signature(text).title == "RuntimeError: Error(s) in loading state_dict for X: <n>"


def test_a_long_traceback_in_part_has_the_key_of_the_whole() -> None:
    whole = python(OWN, LIBRARY * 40, "torch.OutOfMemoryError: tried 2.50 GiB\n")
    assert len(whole) > 2 * ERROR_CHARS
    assert signature(cut(whole)).title == signature(whole).title
    own_last = python(LIBRARY * 40, OWN, "torch.OutOfMemoryError: tried 2.50 GiB\n")
    assert signature(cut(own_last)) == signature(own_last)


def test_a_chain_whose_second_header_was_cut_away() -> None:
    text = python(OWN, "ValueError: first\n\nDuring handling of the above exception, another exc")
    assert len(text) < 500
    tail = (
        f"in broken\n    y\n{OWN.format(home='/a/b', line=5, function='late')}main.Late: last 3\n"
    )
    found = signature(f"{text}\n…\n{tail}")
    assert (found.title, found.frame) == ("main.Late: last <n>", "b/main.py:5 in late")


@pytest.mark.parametrize("tail", [True, False])
def test_where_the_exception_itself_was_cut_away_the_frame_is_left(tail: bool) -> None:
    long_message = python(OWN, LIBRARY * 3, "E: " + "lorem: ipsum\n" * 400)
    found = signature(cut(long_message, tail))
    assert found.title == "traceback whose end was cut off"
    assert found.frame == "image/main.py:71 in handle"


def test_runqy_and_asynq_say_whether_they_retry_and_that_is_no_part_of_it() -> None:
    plain = signature("upstream 503")
    assert signature("upstream 502 (will retry)") == plain
    assert signature("permanent failure: upstream 1") == plain
    assert signature("upstream 7: skip retry for the task") == plain
    assert signature("skip retry for the task").title == "skip retry for the task"


@pytest.mark.parametrize(
    ("text", "title", "frame"),
    [
        ("resize failed: refused\n  at worker.go:42", "resize failed: refused", "worker.go:42"),
        (
            "panic [/app/jobs/resize.go:17]: index out of range [5] with length 3",
            "panic: index out of range [<n>] with length <n>",
            "jobs/resize.go:17",
        ),
        (
            "boom\nruntime.panic\n\t/usr/local/go/src/runtime/panic.go:88\nmain.f\n\t/app/m/f.go:9",
            "boom",
            "m/f.go:9",
        ),
        (
            "TypeError: x\n    at f (/app/node_modules/a.js:1:2)\n    at g (/app/src/b.js:3:4)",
            "TypeError: x",
            "src/b.js:3",
        ),
        ('handler not found for task "x"', 'handler not found for task "…"', None),
        ("failed to run:\n  no such model 7", "failed to run: no such model <n>", None),
        ("", "(empty error text)", None),
        ("  \n ", "(empty error text)", None),
    ],
)
def test_errors_of_go_asynq_and_others(text: str, title: str, frame: str | None) -> None:
    found = signature(text)
    assert (found.title, found.frame) == (title, frame)


def test_the_headline_keeps_the_words() -> None:
    assert (
        parse_error('handler not found for task "a:b"').headline
        == 'handler not found for task "a:b"'
    )
    assert parse_error(python(OWN, "E: tried 3\n")).headline == "E: tried 3"


def test_a_key_is_the_same_in_every_run() -> None:
    assert signature("upstream 503").key == "2c54d2c8aecd04b3"


HOSTILE = [
    "a.", "com.", "a-", "'a", '"', "\\'", "1.", "1:", "a@", "/a", "0x", "[::", "{'a", "1s", "1, ",
    "status ", 'File "x", line 1, in f\n', '  File "x", line 1, in f\nE: x\n', "x.go:1 ",
    "panic [", " | ", "+-", "a1", "\t", "…\n", "E: \n", "Traceback (most recent call last)\n",
    "permanent failure: ", " (will retry)", "http://", "_", "-1", "aZ9", "::", "\u2028",
]  # fmt: skip


@pytest.mark.parametrize("seed", HOSTILE)
def test_the_time_is_linear(seed: str) -> None:
    text = (seed * 400_000)[:400_000]
    started = perf_counter()
    signature(text[:ERROR_CHARS])
    signature(text)
    assert perf_counter() - started < 1.0


_PIECES = st.one_of(st.text(max_size=40), st.sampled_from([*HOSTILE, RUNNER, OWN, STDLIB]))


@given(st.lists(_PIECES, max_size=60).map("".join))
def test_any_text_has_a_signature_of_bounded_size(text: str) -> None:
    found = signature(text)
    assert re.fullmatch(r"[0-9a-f]{16}", found.key)
    assert 0 < len(found.title) <= 200
    assert found.frame is None or len(found.frame) <= 200
    assert "\n" not in found.title
    assert signature(text) == found
