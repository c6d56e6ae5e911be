"""``runqy-tui doctor``: checks the deployment, and this machine's terminal, Python and packages."""

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
_OPTIONAL = {"hiredis": "polls take several times longer without it"}
_FAULT = 70


class Terminal(NamedTuple):
    """Properties of the terminal; ``size`` in columns and lines, ``None`` without a terminal."""

    term: str
    size: tuple[int, int] | None
    encoding: str
    colorterm: str = ""
    no_color: bool = False
    within: str = ""
    mouse: bool = True


def detect_terminal(env: Mapping[str, str], *, mouse: bool) -> Terminal:
    """Return the properties of the terminal on any of the standard streams."""
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


def terminal_lines(terminal: Terminal) -> list[CheckLine]:
    """Return the checks of what the terminal can display."""
    return [_terminal(terminal), _colours(terminal), _characters(terminal), _mouse(terminal)]


def _terminal(terminal: Terminal) -> CheckLine:
    if terminal.term in BLIND_TERMS:
        fix = "Set TERM, as in TERM=xterm-256color. The one-shot commands do not need one."
        return CheckLine(
            "terminal", Verdict.WARN, f"TERM={terminal.term!r} cannot show the monitor", fix
        )
    if terminal.size is None:
        fix = "Start the monitor from a terminal. The one-shot commands do not need one."
        return CheckLine("terminal", Verdict.WARN, f"none here (TERM={terminal.term})", fix)
    columns, lines = terminal.size
    within = f" in {terminal.within}" if terminal.within else ""
    summary = f"{terminal.term}{within}, {columns} columns by {lines} lines"
    if columns < ROOMY[0] or lines < ROOMY[1]:
        summary += f": one pane at a time (all three need {ROOMY[0]} by {ROOMY[1]})"
    return CheckLine("terminal", Verdict.OK, summary)


def _colours(terminal: Terminal) -> CheckLine:
    if terminal.no_color:
        return CheckLine("colours", Verdict.OK, "none, because NO_COLOR is set")
    if terminal.colorterm in ("truecolor", "24bit"):
        return CheckLine("colours", Verdict.OK, f"16 million (COLORTERM={terminal.colorterm})")
    if "256" in terminal.term:
        return CheckLine("colours", Verdict.OK, "256 according to TERM")
    fix = "If the terminal supports more: set TERM=xterm-256color or COLORTERM=truecolor."
    return CheckLine("colours", Verdict.WARN, "8 according to TERM", fix)


def _characters(terminal: Terminal) -> CheckLine:
    if terminal.encoding.lower().replace("-", "") == "utf8":
        return CheckLine("characters", Verdict.OK, "UTF-8")
    fix = "Set the locale, as in LC_ALL=C.UTF-8, to show symbols and non-Latin text."
    return CheckLine("characters", Verdict.WARN, f"{terminal.encoding}, not UTF-8", fix)


def _mouse(terminal: Terminal) -> CheckLine:
    use = "enabled (--no-mouse leaves it to the terminal)" if terminal.mouse else "disabled"
    copying = {
        "tmux": "; to copy text in tmux: set -g set-clipboard on",
        "screen": "; screen does not forward copied text",
    }
    return CheckLine("mouse", Verdict.OK, use + copying.get(terminal.within, ""))


def program_lines() -> list[CheckLine]:
    """Return the checks of Python and the installed packages, none of which is imported."""
    python = f"{platform.python_implementation()} {platform.python_version()}"
    system = f"{platform.system()} {platform.machine()}"
    lines = [CheckLine("program", Verdict.OK, f"runqy-tui {__version__}, {python}, {system}")]
    found = {name: _version(name) for name in _PACKAGES}
    installed = ", ".join(f"{name} {number}" for name, number in found.items() if number)
    lines.append(CheckLine("packages", Verdict.OK, installed or "none"))
    for name in (name for name, number in found.items() if number is None):
        fix = f"Install it: pip install {name}"
        if name in _OPTIONAL:
            lines.append(
                CheckLine("packages", Verdict.WARN, f"{name} is missing: {_OPTIONAL[name]}", fix)
            )
        else:
            lines.append(CheckLine("packages", Verdict.FAIL, f"{name} is missing", fix, _FAULT))
    return lines


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


SCHEMA = 1
_TOPIC_WIDTH = 15


class Examine(Protocol):
    """Checks the deployment of the settings. Raises ConfigError where the settings are invalid."""

    def __call__(self, settings: Settings) -> AsyncIterator[CheckLine]:
        """Yield lines as the checks complete."""
        ...


async def doctor(
    load: Callable[[], Settings], examine: Examine, env: Mapping[str, str], *, as_json: bool
) -> int:
    """Print every line and return the exit code: 0, or that of the first failure.

    Raises:
        OutputError: standard output cannot be written.
    """
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
        yield CheckLine("redis", Verdict.SKIP, "not checked because of the failure above")
    else:
        yield _configuration(settings, env)
        async for line in deployment:
            yield line
    for line in [*terminal_lines(detect_terminal(env, mouse=mouse)), *program_lines()]:
        yield line


def _configuration(settings: Settings, env: Mapping[str, str]) -> CheckLine:
    path = config_path(env)
    file = f"read {path}" if path.is_file() else f"{path} does not exist"
    profile = f', profile "{settings.profile}"' if settings.profile else ""
    summary = f"URL from {settings.url_source}{profile}; {file}"
    return CheckLine("configuration", Verdict.OK, summary)


def _bad_setting(error: RunqyTuiError) -> CheckLine:
    fix = "Correct the setting named above."
    return CheckLine("configuration", Verdict.FAIL, str(error), fix, error.exit_code)


def line_text(line: CheckLine) -> str:
    """Return one line, and a second one with the fix where there is one."""
    head = f"{line.verdict.upper():<5} {line.topic:<{_TOPIC_WIDTH}} {safe_line(line.text)}"
    if line.remedy is None:
        return head
    return f"{head}\n{'':<{_TOPIC_WIDTH + 6}} -> {safe_line(line.remedy)}"


def summary(lines: list[CheckLine]) -> str:
    """Return the number of lines per verdict."""
    count = {verdict: sum(line.verdict is verdict for line in lines) for verdict in Verdict}
    parts = [f"{count[Verdict.OK]} ok"]
    for verdict, word in ((Verdict.WARN, "warning"), (Verdict.FAIL, "failure")):
        parts.append(f"{count[verdict]} {word}{'' if count[verdict] == 1 else 's'}")
    if count[Verdict.SKIP]:
        parts.append(f"{count[Verdict.SKIP]} not checked")
    return ", ".join(parts)


def as_object(lines: list[CheckLine], code: int) -> dict[str, object]:
    """Return the JSON object; ``mend`` (the fix) is ``null`` where there is nothing to fix."""
    return {
        "schema": SCHEMA,
        "exit_code": code,
        "lines": [
            {
                "topic": line.topic,
                "verdict": line.verdict.value,
                "said": safe_line(line.text),
                "mend": None if line.remedy is None else safe_line(line.remedy),
            }
            for line in lines
        ],
    }
