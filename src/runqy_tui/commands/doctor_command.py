"""The machine that the monitor runs on: its terminal, Python and packages. Nothing is imported."""

from __future__ import annotations

import locale
import os
import platform
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import aclosing
from importlib.metadata import PackageNotFoundError, version
from typing import NamedTuple, Protocol

from runqy_tui import __version__
from runqy_tui.commands.stdout import emit
from runqy_tui.config import Settings, config_path
from runqy_tui.model.check_line import CheckLine, Verdict
from runqy_tui.model.errors import RunqyTuiError
from runqy_tui.text.safe import safe_line
from runqy_tui.text.terminal_encoding import BLIND_TERMS

ROOMY = (100, 28)
"""Below this many columns or lines one pane is shown at a time."""

_PACKAGES = ("textual", "rich", "redis", "hiredis", "protobuf", "click", "prometheus-client")
_OPTIONAL = {"hiredis": "polls take several times as long without it"}
_FAULT = 70


class Terminal(NamedTuple):
    """What is known of the terminal; ``size`` is ``None`` where there is none."""

    term: str
    size: tuple[int, int] | None
    encoding: str
    colorterm: str = ""
    no_color: bool = False
    within: str = ""
    mouse: bool = True


def detect_terminal(env: Mapping[str, str], *, mouse: bool) -> Terminal:
    """The terminal that this process has on any of its streams."""
    return Terminal(
        term=env.get("TERM", ""),
        size=_size(),
        encoding=locale.getpreferredencoding(False),
        colorterm=env.get("COLORTERM", ""),
        no_color=bool(env.get("NO_COLOR")),
        within="tmux" if env.get("TMUX") else "screen" if env.get("STY") else "",
        mouse=mouse,
    )


def _size() -> tuple[int, int] | None:
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        try:
            if stream is not None and stream.isatty():
                columns, lines = os.get_terminal_size(stream.fileno())
                return columns, lines
        except (OSError, ValueError):
            continue
    return None


def terminal_lines(seen: Terminal) -> list[CheckLine]:
    """Whether the monitor can be shown, and how well."""
    return [_terminal(seen), _colours(seen), _characters(seen), _mouse(seen)]


def _terminal(seen: Terminal) -> CheckLine:
    if seen.term in BLIND_TERMS:
        mend = "Set TERM, as in TERM=xterm-256color. The one-shot commands need none."
        return CheckLine(
            "terminal", Verdict.WARN, f"TERM={seen.term!r} cannot show the monitor", mend
        )
    if seen.size is None:
        mend = "Start the monitor from a terminal. The one-shot commands need none."
        return CheckLine("terminal", Verdict.WARN, f"none here (TERM={seen.term})", mend)
    columns, lines = seen.size
    within = f" in {seen.within}" if seen.within else ""
    said = f"{seen.term}{within}, {columns} columns by {lines} lines"
    if columns < ROOMY[0] or lines < ROOMY[1]:
        said += f": one pane at a time (all three need {ROOMY[0]} by {ROOMY[1]})"
    return CheckLine("terminal", Verdict.OK, said)


def _colours(seen: Terminal) -> CheckLine:
    if seen.no_color:
        return CheckLine("colours", Verdict.OK, "none, because NO_COLOR is set")
    if seen.colorterm in ("truecolor", "24bit"):
        return CheckLine("colours", Verdict.OK, f"16 million (COLORTERM={seen.colorterm})")
    if "256" in seen.term:
        return CheckLine("colours", Verdict.OK, "256, by TERM")
    mend = "If the terminal has more: TERM=xterm-256color, or COLORTERM=truecolor."
    return CheckLine("colours", Verdict.WARN, "as few as 8, by TERM", mend)


def _characters(seen: Terminal) -> CheckLine:
    if seen.encoding.lower().replace("-", "") == "utf8":
        return CheckLine("characters", Verdict.OK, "UTF-8")
    mend = "Set the locale, as in LC_ALL=C.UTF-8, for the signs and for other alphabets."
    return CheckLine("characters", Verdict.WARN, f"{seen.encoding}, not UTF-8", mend)


def _mouse(seen: Terminal) -> CheckLine:
    use = "is used (--no-mouse leaves it to the terminal)" if seen.mouse else "is not used"
    copying = {
        "tmux": "; to copy from tmux: set -g set-clipboard on",
        "screen": "; screen passes no copied text on",
    }
    return CheckLine("mouse", Verdict.OK, use + copying.get(seen.within, ""))


def program_lines() -> list[CheckLine]:
    """Python and the packages, by what is installed."""
    python = f"{platform.python_implementation()} {platform.python_version()}"
    system = f"{platform.system()} {platform.machine()}"
    lines = [CheckLine("program", Verdict.OK, f"runqy-tui {__version__}, {python}, {system}")]
    found = {name: _version(name) for name in _PACKAGES}
    there = ", ".join(f"{name} {told}" for name, told in found.items() if told)
    lines.append(CheckLine("packages", Verdict.OK, there or "none"))
    for name in (name for name, told in found.items() if told is None):
        mend = f"Install it: pip install {name}"
        if name in _OPTIONAL:
            lines.append(
                CheckLine("packages", Verdict.WARN, f"{name} is missing: {_OPTIONAL[name]}", mend)
            )
        else:
            lines.append(CheckLine("packages", Verdict.FAIL, f"{name} is missing", mend, _FAULT))
    return lines


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


SCHEMA = 1
_TOPIC_WIDTH = 15


class Examine(Protocol):
    """Looks at the deployment that settings lead to; ``ConfigError`` where they lead nowhere."""

    def __call__(self, settings: Settings) -> AsyncIterator[CheckLine]:
        """Lines, each as soon as it is known."""
        ...


async def doctor(
    load: Callable[[], Settings], examine: Examine, env: Mapping[str, str], *, as_json: bool
) -> int:
    """Print every line; gives the exit code: 0, or that of the first failure."""
    lines: list[CheckLine] = []
    async with aclosing(_all(load, examine, env)) as found:
        async for line in found:
            lines.append(line)
            if not as_json:
                emit(line_text(line))
    code = next((line.code for line in lines if line.verdict is Verdict.FAIL), 0)
    emit(as_object(lines, code) if as_json else "\n" + summary(lines))
    return code


async def _all(
    load: Callable[[], Settings], examine: Examine, env: Mapping[str, str]
) -> AsyncGenerator[CheckLine, None]:
    mouse = True
    try:
        settings = load()
        mouse = settings.mouse
        deployment = examine(settings)
    except RunqyTuiError as error:
        yield _bad_setting(error)
        yield CheckLine("redis", Verdict.SKIP, "not looked at, because of the failure above")
    else:
        yield _configuration(settings, env)
        async for line in deployment:
            yield line
    for line in [*terminal_lines(detect_terminal(env, mouse=mouse)), *program_lines()]:
        yield line


def _configuration(settings: Settings, env: Mapping[str, str]) -> CheckLine:
    path = config_path(env)
    file = f"{path} is read" if path.is_file() else f"no file {path}"
    profile = f', profile "{settings.profile}"' if settings.profile else ""
    said = f"Redis as {settings.url_source} says{profile}; {file}"
    return CheckLine("configuration", Verdict.OK, said)


def _bad_setting(error: RunqyTuiError) -> CheckLine:
    mend = "Change the setting that is named."
    return CheckLine("configuration", Verdict.FAIL, str(error), mend, error.exit_code)


def line_text(line: CheckLine) -> str:
    """One line, and one more for the mend."""
    head = f"{line.verdict.upper():<5} {line.topic:<{_TOPIC_WIDTH}} {safe_line(line.said)}"
    if line.mend is None:
        return head
    return f"{head}\n{'':<{_TOPIC_WIDTH + 6}} -> {safe_line(line.mend)}"


def summary(lines: list[CheckLine]) -> str:
    """How many lines of which kind."""
    count = {verdict: sum(line.verdict is verdict for line in lines) for verdict in Verdict}
    parts = [f"{count[Verdict.OK]} ok"]
    for verdict, word in ((Verdict.WARN, "warning"), (Verdict.FAIL, "failure")):
        parts.append(f"{count[verdict]} {word}{'' if count[verdict] == 1 else 's'}")
    if count[Verdict.SKIP]:
        parts.append(f"{count[Verdict.SKIP]} not looked at")
    return ", ".join(parts)


def as_object(lines: list[CheckLine], code: int) -> dict[str, object]:
    """The same for programs; ``mend`` is ``null`` where there is nothing to mend."""
    return {
        "schema": SCHEMA,
        "exit_code": code,
        "lines": [
            {
                "topic": line.topic,
                "verdict": line.verdict.value,
                "said": safe_line(line.said),
                "mend": None if line.mend is None else safe_line(line.mend),
            }
            for line in lines
        ],
    }
