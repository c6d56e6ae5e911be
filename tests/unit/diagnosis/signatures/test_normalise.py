"""What one error has for itself becomes a placeholder; what names its kind stays."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runqy_tui.diagnosis.signatures.normalise import normalised

CASES = [
    ("prompt too long (4097 > 4096 tokens)", "prompt too long (<n> > <n> tokens)"),
    ("upstream 503", "upstream <n>"),
    ("task 550e8400-e29b-41d4-a716-446655440000 gone", "task <id> gone"),
    ("commit 0192f3a4b5c6d7e8 missing", "commit <id> missing"),
    ("customer cus_9s6XKzkNRiz8i3 unknown", "customer cus_<id> unknown"),
    ("<_io.BytesIO object at 0x7f3c2a1b>", "<_io.BytesIO object at <hex>>"),
    ("dial tcp 10.0.0.12:5432: refused", "dial tcp <host>: refused"),
    ("dial tcp [::1]:6379: refused", "dial tcp <host>: refused"),
    ("dial fe80::1 failed", "dial <host> failed"),
    ("lookup redis.internal on 10.0.0.2:53: no", "lookup <host> on <host>: no"),
    ("connect to localhost:6379 failed", "connect to <host> failed"),
    ("gpu-7:4312 is gone", "<host> is gone"),
    ("gave up on https://hooks.example.com/a?b=1", "gave up on <url>"),
    ("mail to bob@example.com bounced", "mail to <email> bounced"),
    ("at 2026-11-24T03:12:00.123Z it broke", "at <time> it broke"),
    ("2026/11/24 03:12:00 it broke", "<time> it broke"),
    (
        "took 1m30.5s, then 30 seconds, then 250ms",
        "took <duration>, then <duration>, then <duration>",
    ),
    ("tried 2.50 GiB of 44 bytes", "tried <size> of <size>"),
    ("no file /var/tmp/tmpab12cd3f/img_1234.png", "no file …/img_<n>.png"),
    (r"no file C:\work\a\report.txt", "no file …/report.txt"),
    ("open '/data/abc.bin': denied", "open '…': denied"),
    ('handler not found for task "no:handler"', 'handler not found for task "…"'),
    ("'NoneType' object has no attribute 'get'", "'…' object has no attribute '…'"),
    ("'utf-8' codec can't decode byte 0xe9", "'…' codec can't decode byte <hex>"),
    ('{"error": "x", "code": 42}', '{"error": "…", "code": <n>}'),
    ("shape [1, 2, 3] is not (4, 5)", "shape [<n>] is not (<n>)"),
    ("-5 and 1.5e-3 and 1,234,567", "<n> and <n> and <n>"),
    ("two  spaces\tand a tab", "two spaces and a tab"),
]


@pytest.mark.parametrize(("text", "expected"), CASES)
def test_placeholders(text: str, expected: str) -> None:
    assert normalised(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "rate limited: HTTP 429",
        "status code: 503",
        "[Errno 111] Connection refused",
        "exit status 137",
        "killed by signal 9",
        "torch.OutOfMemoryError in self.transformer",
        "rpc error: code = Unavailable",
        "std::vector<int> is empty",
        "it's not there, don't ask",
        "a decade of feedback",
    ],
)
def test_what_names_a_kind_of_failure_stays(text: str) -> None:
    assert normalised(text) == text


@given(st.text(max_size=300), st.integers(0, 10**9))
def test_a_number_is_replaced_whatever_follows(text: str, number: int) -> None:
    found = normalised(f"run {number} of {text}")
    assert found.startswith("run <n> of")
    assert "\n" not in found
