"""Errors that no test can cause on every machine, said as well as the others."""

from __future__ import annotations

import errno
import socket

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError

from runqy_tui.redis.connecting.target import parse_url
from runqy_tui.redis.wire.error_translation import missing_command, translate
from tests.faults.poll_watcher import well_said


@pytest.mark.parametrize(
    ("number", "part"),
    [
        (errno.EHOSTUNREACH, "cannot be reached: there is no route to its network."),
        (errno.ENETUNREACH, "cannot be reached: there is no route to its network."),
        (errno.ECONNREFUSED, "refuses the connection: nothing listens there."),
        (errno.ECONNRESET, "closed the connection: it restarted, or expects TLS."),
        (errno.EMFILE, "cannot be reached: "),
        (socket.EAI_NONAME, "cannot be found: the name 'host' cannot be resolved."),
    ],
)
def test_errors_of_the_system(number: int, part: str) -> None:
    """As they come, and as redis-py tells them where it has lost the error itself."""
    target = parse_url("redis://user:s3cret@host:7000")
    own = socket.gaierror(number, "Why") if number < 0 else OSError(number, "Why")
    words = RedisConnectionError(f"Error {number} connecting to host:7000. Why.")
    for error in (own, words):
        sentence = str(translate(error, target))
        well_said(sentence, "host:7000")
        assert part in sentence


def test_once_it_has_answered_tls_is_not_the_matter() -> None:
    target = parse_url("redis://host")
    for error in (ConnectionResetError(), TimeoutError()):
        assert "TLS" in str(translate(error, target))
        assert "TLS" not in str(translate(error, target, has_answered=True))


def test_only_an_answer_of_the_server_tells_that_a_command_is_missing() -> None:
    assert missing_command(None) is None
    assert missing_command(b"unknown command 'LLEN'") is None
    assert missing_command(OSError("unknown command 'LLEN'")) is None
