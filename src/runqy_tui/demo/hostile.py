"""Data that tries to do something to whoever looks at it, as found in the wild."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random


@dataclass(frozen=True, slots=True)
class Hostile:
    """A payload, and an error text for the day the task fails."""

    name: str
    payload: bytes
    error: str
    type: str = ""


HOSTILE: tuple[Hostile, ...] = (
    Hostile(
        "escape",
        b'{"prompt":"\x1b[2J\x1b[H\x1b]0;owned\x07raw escapes","note":"\x1b[31mred\x1b[0m"}',
        "ValueError: \x1b[2J\x1b[1;1H\x1b[5mcleared your screen\x1b[0m",
    ),
    Hostile(
        "clipboard",
        b'{"prompt":"\x1b]52;c;cm0gLXJmIC8K\x07 OSC 52 writes the clipboard"}',
        "RuntimeError: \x1b]52;c;cm0gLXJmIC8K\x07\x1b]8;;http://evil.example\x1b\\link\x1b]8;;\x1b\\",
    ),
    Hostile(
        "markup",
        b'{"prompt":"[@click=app.quit]x[/] [/x] [bold red]not markup[/] [link=file:///etc]"}',
        "KeyError: '[@click=app.quit]press me[/]'\n[/x] unmatched [$error] [b",
        type="[@click=app.quit]x[/]",
    ),
    Hostile(
        "bidi",
        '{"file":"invoice_\u202efdp.exe","note":"\u2066\u202etxet desrever\u2069"}'.encode(),
        "PermissionError: '/srv/\u202egpj.sh' \u200b\u200d\ufeffzero width",
        type="report\u202ecod",
    ),
    Hostile(
        "surrogate",
        b'{"prompt":"lone \\ud83d surrogate \\udc80","emoji":"\\ud83d\\ude80"}',
        "UnicodeEncodeError: 'utf-8' codec can't encode character '\\ud83d' in position 5",
    ),
    Hostile(
        "binary",
        b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + bytes(range(256)),
        "PIL.UnidentifiedImageError: cannot identify image file\x00\x01\x02\x7f\x9b31m\udcff\udcfe",
    ),
    Hostile("empty", b"", "TypeError: 'NoneType' object is not subscriptable"),
    Hostile(
        "deep",
        b'{"a":' + b"[" * 400 + b"]" * 400 + b',"cut":{"never":',
        "RecursionError: maximum recursion depth exceeded while decoding a JSON array",
    ),
    Hostile(
        "wide",
        '{"prompt":"漢字かな交じり文 👩‍👩‍👧‍👦 🇫🇷 e\u0301 \t tab","zalgo":"h̷e̶l̸l̵o"}'.encode(),
        "AssertionError: 期待値と異なります 👩‍👩‍👧‍👦\ttab\rcarriage return",
    ),
    Hostile(
        "long line",
        b'{"data":"' + b"A" * 20_000 + b'"}',
        "ValueError: " + "x" * 5000,
    ),
)


def hostile_error(rng: Random) -> str:
    """One of the hostile error texts; bytes that are no UTF-8 are surrogates."""
    return rng.choice(HOSTILE).error
