"""Whether a terminal is believed to show UTF-8, from what its environment says."""

from __future__ import annotations

import pytest

from runqy_tui.text import terminal_encoding


@pytest.mark.parametrize(
    ("environ", "guess"),
    [
        ({"LANG": "C"}, True),
        ({"LC_ALL": "POSIX", "LANG": "C.UTF-8"}, True),
        ({"LANG": "en_US.ISO-8859-1"}, True),
        ({"LANG": "C", "LC_CTYPE": "C.UTF-8"}, True),  # the latter is Python's own doing
        ({"LANG": "xx_XX.utf8"}, False),
        ({"LC_ALL": "C.UTF-8", "LANG": "C"}, False),
        ({}, False),
        ({"LANG": ""}, False),
        ({"LANG": "C", "PYTHONUTF8": "1"}, False),
        ({"LANG": "C", "PYTHONIOENCODING": "utf-8"}, False),
    ],
)
def test_a_guess_against_the_locale(environ: dict[str, str], guess: bool) -> None:
    assert terminal_encoding.is_guess(environ, utf8_mode=True) is guess
    assert not terminal_encoding.is_guess(environ, utf8_mode=False)
