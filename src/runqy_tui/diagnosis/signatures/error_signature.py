"""The signature of an error: what it has in common with others of its kind."""

from __future__ import annotations

import re
from hashlib import blake2b
from typing import NamedTuple

from runqy_tui.diagnosis.signatures import python_traceback
from runqy_tui.diagnosis.signatures.normalise import normalised
from runqy_tui.diagnosis.signatures.python_traceback import (
    CUT,
    StackFrame,
    Traceback,
    generic_frame,
)

MOST_CHARS = 8_000
"""Characters of an error that are parsed: of a longer one its beginning and its end."""
TITLE_CHARS = 200

_PREFIXES = ("permanent failure: ",)
_SUFFIXES = (" (will retry)", ": skip retry for the task")
_PANIC = re.compile(r"panic \[(?P<file>[^\]\n]{1,300}):(?P<line>\d{1,7})\]: ")
_NO_TEXT = "(empty error text)"
_NO_END = "traceback whose end was cut off"


class Signature(NamedTuple):
    """``key`` is stable between runs and machines; ``title`` is one line, with placeholders.

    ``frame`` is where it was raised (``inference/main.py:26 in handle``), as this text has it;
    its line number is no part of the key. All but the key is untrusted text.
    """

    key: str
    title: str
    frame: str | None = None


class ErrorReading(NamedTuple):
    """A signature, and its title as in this error, without placeholders."""

    signature: Signature
    headline: str


def signature(error: str) -> Signature:
    """Return the signature of an error text, in time linear in its length."""
    return parse_error(error).signature


def parse_error(error: str) -> ErrorReading:
    """Parse an error text into its signature and its own headline."""
    text = _stripped(_bounded(error))
    found = python_traceback.parse(text)
    kind, message, frame = _other(text) if found is None else _python(found)
    title = f"{kind}{normalised(message)}" or _NO_TEXT
    place = "" if frame is None else frame.place
    key = blake2b(f"{title}\n{place}".encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
    where = None if frame is None else _cut(str(frame))
    return ErrorReading(Signature(key, _cut(title), where), _cut(f"{kind}{message}" or _NO_TEXT))


def _bounded(error: str) -> str:
    if len(error) <= MOST_CHARS:
        return error
    half = MOST_CHARS // 2
    return f"{error[:half]}\n{CUT}\n{error[-half:]}"


def _stripped(text: str) -> str:
    """Strip what runqy and asynq add to say whether the task is retried."""
    text = text.strip()
    for prefix in _PREFIXES:
        while text.startswith(prefix):
            text = text[len(prefix) :].lstrip()
    for suffix in _SUFFIXES:
        text = text.removesuffix(suffix).rstrip()
    return text


def _python(found: Traceback) -> tuple[str, str, StackFrame | None]:
    if found.type is None:
        return _NO_END, "", found.frame
    return (f"{found.type}: " if found.message else found.type), found.message, found.frame


def _other(text: str) -> tuple[str, str, StackFrame | None]:
    """Parse an error of Go, asynq or anything else: its first line, and a place in later ones."""
    if match := _PANIC.match(text):
        return "panic: ", _first(text[match.end() :]), StackFrame(match["file"], int(match["line"]))
    lines = [line for line in text.splitlines() if line.strip()]
    return "", _first(text), generic_frame(lines[1:])


def _first(text: str) -> str:
    """Return the first line, and the next one too if the first ends with a colon."""
    lines = (line.strip() for line in text.splitlines())
    lines_kept = [line for line in lines if line][:2]
    if len(lines_kept) == 2 and lines_kept[0].endswith(":") and lines_kept[1] != CUT:
        return " ".join(lines_kept)
    return lines_kept[0] if lines_kept else ""


def _cut(text: str) -> str:
    return text if len(text) <= TITLE_CHARS else text[: TITLE_CHARS - 1] + "…"
