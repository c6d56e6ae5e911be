"""Asks for every line, prints it as soon as it is known, and sums up."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import aclosing
from typing import Protocol

from runqy_tui.config import Settings, config_path
from runqy_tui.model.checkup import Line, Verdict
from runqy_tui.model.errors import RunqyTuiError
from runqy_tui.oneshot.doctor.surroundings import program_lines, terminal_lines, terminal_of
from runqy_tui.oneshot.output import emit
from runqy_tui.text.safe import safe_line

SCHEMA = 1
_TOPIC_WIDTH = 15


class Examine(Protocol):
    """Looks at the deployment that settings lead to; ``ConfigError`` where they lead nowhere."""

    def __call__(self, settings: Settings) -> AsyncIterator[Line]:
        """Lines, each as soon as it is known."""
        ...


async def doctor(
    load: Callable[[], Settings], examine: Examine, env: Mapping[str, str], *, as_json: bool
) -> int:
    """Print every line; gives the exit code: 0, or that of the first failure."""
    lines: list[Line] = []
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
) -> AsyncGenerator[Line, None]:
    mouse = True
    try:
        settings = load()
        mouse = settings.mouse
        deployment = examine(settings)
    except RunqyTuiError as error:
        yield _bad_setting(error)
        yield Line("redis", Verdict.SKIP, "not looked at, because of the failure above")
    else:
        yield _configuration(settings, env)
        async for line in deployment:
            yield line
    for line in [*terminal_lines(terminal_of(env, mouse=mouse)), *program_lines()]:
        yield line


def _configuration(settings: Settings, env: Mapping[str, str]) -> Line:
    path = config_path(env)
    file = f"{path} is read" if path.is_file() else f"no file {path}"
    profile = f', profile "{settings.profile}"' if settings.profile else ""
    said = f"Redis as {settings.url_source} says{profile}; {file}"
    return Line("configuration", Verdict.OK, said)


def _bad_setting(error: RunqyTuiError) -> Line:
    mend = "Change the setting that is named."
    return Line("configuration", Verdict.FAIL, str(error), mend, error.exit_code)


def line_text(line: Line) -> str:
    """One line, and one more for the mend."""
    head = f"{line.verdict.upper():<5} {line.topic:<{_TOPIC_WIDTH}} {safe_line(line.said)}"
    if line.mend is None:
        return head
    return f"{head}\n{'':<{_TOPIC_WIDTH + 6}} -> {safe_line(line.mend)}"


def summary(lines: list[Line]) -> str:
    """How many lines of which kind."""
    count = {verdict: sum(line.verdict is verdict for line in lines) for verdict in Verdict}
    parts = [f"{count[Verdict.OK]} ok"]
    for verdict, word in ((Verdict.WARN, "warning"), (Verdict.FAIL, "failure")):
        parts.append(f"{count[verdict]} {word}{'' if count[verdict] == 1 else 's'}")
    if count[Verdict.SKIP]:
        parts.append(f"{count[Verdict.SKIP]} not looked at")
    return ", ".join(parts)


def as_object(lines: list[Line], code: int) -> dict[str, object]:
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
