"""GPUs that are taken apart when somebody looks are what they would have been before."""

from __future__ import annotations

import json
from typing import Any

import pytest

from runqy_tui.model import Gpu, Metrics
from runqy_tui.redis.polling.worker_parsing import LazyGpus, parse_metrics

ONE = {"index": 0, "name": "A100", "utilization_percent": 5, "memory_used_mb": 1.5}
MADE = Gpu(0, "A100", 5.0, 1.5)


def gpus(reported: Any) -> LazyGpus:
    return LazyGpus(json.dumps({"gpus": reported}).encode())


def test_they_are_a_sequence_like_any_other() -> None:
    two = gpus([ONE, ONE])
    assert two == (MADE, MADE)
    assert (len(two), two[1], two[:1], list(two)) == (2, MADE, (MADE,), [MADE, MADE])
    assert two == gpus([ONE, ONE])
    assert hash(two) == hash((MADE, MADE))
    assert repr(two) == repr((MADE, MADE))
    assert two != gpus([ONE])


@pytest.mark.parametrize("reported", [None, 7, "x", {}, [], [3, None, "x", []]])
def test_what_is_no_gpu_is_none(reported: Any) -> None:
    assert gpus(reported) == ()


def test_a_number_of_another_kind_is_unknown() -> None:
    odd = {"index": True, "name": "", "utilization_percent": "9", "temperature_c": 1e300}
    assert gpus([odd]) == (Gpu(),)


def test_more_than_anybody_has_are_left_out() -> None:
    assert len(gpus([ONE] * 100)) == 64


def test_metrics_are_equal_however_they_came() -> None:
    raw = json.dumps({"cpu_percent": 7, "gpus": [ONE]}).encode()
    assert parse_metrics(raw, []) == Metrics(cpu_percent=7.0, gpus=(MADE,))
