"""The one place where commands get their wire form, and where all but reads are refused."""

from __future__ import annotations

import pytest

from runqy_tui.redis.wire.command_encoding import ALLOWED, NotAllowedError, Pattern, encode


def test_the_wire_form() -> None:
    assert encode("LLEN", b"a") == b"*2\r\n$4\r\nLLEN\r\n$1\r\na\r\n"
    assert encode("LRANGE", "é", 0, -1) == (
        b"*4\r\n$6\r\nLRANGE\r\n$2\r\n\xc3\xa9\r\n$1\r\n0\r\n$2\r\n-1\r\n"
    )


@pytest.mark.parametrize("size", [0, 1, 511, 512, 513, 70_000])
def test_arguments_of_any_size(size: int) -> None:
    assert encode("GETRANGE", b"x" * size) == (
        b"*2\r\n$8\r\nGETRANGE\r\n$%d\r\n" % size + b"x" * size + b"\r\n"
    )


@pytest.mark.parametrize("key", [b"", b"asynq:workers:a", b"\0key\0", b"$5\r\n", b"k" * 600])
def test_a_pattern_says_the_same(key: bytes) -> None:
    assert Pattern("HMGET", None, b"a", b"b").encode(key) == encode("HMGET", key, b"a", b"b")
    script = ("EVAL_RO", "return 1", 1)
    assert Pattern(*script, None, 7).encode(key) == encode(*script, key, 7)


@pytest.mark.parametrize("command", [("DEL", b"a"), ("EVAL", "x", 0), ("CLIENT", "KILL"), ("",)])
def test_what_is_no_read_is_refused(command: tuple[bytes | str | int, ...]) -> None:
    with pytest.raises(NotAllowedError, match="not one of the commands a monitor may send"):
        encode(*command)
    with pytest.raises(NotAllowedError):
        Pattern(*command)


def test_everything_listed_can_be_sent() -> None:
    for name in ALLOWED:
        assert encode(*name.split()).startswith(b"*")
