"""Alert rules from a TOML file; errors name the line, which :mod:`tomllib` does not report."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, NoReturn

from runqy_tui.alerts import rule_fields
from runqy_tui.alerts.rule import RateUnit, Rule, RuleKind
from runqy_tui.alerts.rule_fields import FieldError
from runqy_tui.model.errors import ConfigError


def line_of(text: str, rule: int, key: str | None = None) -> int | None:
    """Return the line (from 1) of a key of the rule with this index, or of its ``[[rule]]``."""
    index, start = -1, None
    for line, found in _statements(text):
        tables = found.get("rule")
        if isinstance(tables, list):
            index += len(tables)
            if index >= rule and start is None:
                start = line
                if key is None or any(tables):  # written inline as one statement
                    return line
            elif start is not None:
                return start
        elif index == rule and (key in found or _inside(tables, key)):
            return line
    return start


def top_line_of(text: str, key: str) -> int | None:
    """Return the line (from 1) of a key or table outside all rules; ``None`` if absent."""
    return next((line for line, found in _statements(text) if key in found), None)


def _inside(table: Any, key: str | None) -> bool:
    return isinstance(table, dict) and key in table


def _statements(text: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield headers and keys of a valid file, each parsed alone, with its first line."""
    chunk, start = "", 1
    for number, line in enumerate(text.split("\n"), 1):
        if not chunk:
            start = number
        chunk += line + "\n"
        try:
            found = tomllib.loads(chunk)
        except ValueError:
            continue  # a value of several lines that ends further down
        chunk = ""
        if found:
            yield start, found


def template() -> str:
    """Return the commented file of the built-in rules."""
    # Not by importlib.resources: importing it takes longer than reading the rules.
    return Path(__file__).with_name("default.toml").read_text(encoding="utf-8")


@cache
def default_rules() -> tuple[Rule, ...]:
    """Return the built-in rules, which are those of the commented file."""
    return parse_rules(template(), "the built-in rules")


MAX_BYTES = 262_144
MAX_RULES = 500
_LONGEST_SHOWN = 60
_DEFAULT_LEAST = {RuleKind.FAILURE_RATE: 5, RuleKind.SLOW_TASKS: 20}


def load_rules(path: Path) -> tuple[Rule, ...]:
    """Read and validate a file.

    Raises:
        ConfigError: the file cannot be read, is too large, or a rule is invalid.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}.") from None
    if len(data) > MAX_BYTES:
        raise ConfigError(
            f"{path} is larger than {MAX_BYTES // 1024} KiB, the limit for a rules file."
        )
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise ConfigError(f"{path} line {line}: not valid UTF-8. Save it as UTF-8.") from None
    return parse_rules(text, str(path))


def parse_rules(text: str, source: str) -> tuple[Rule, ...]:
    """Validate the text of a file; ``source`` is its name in errors.

    Raises:
        ConfigError: the text is not valid TOML, or a rule is invalid.
    """
    text = text.replace("\r\n", "\n")
    try:
        data = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{source} is not valid TOML: {error}.") from None
    return _RuleFileParser(text, source).rules(data)


class _RuleFileParser:
    """Validates one file; errors name the line and the rule."""

    def __init__(self, text: str, source: str) -> None:
        self.text = text
        self.source = source

    def rules(self, data: dict[str, Any]) -> tuple[Rule, ...]:
        for key in data:
            if key != "rule":
                hint = rule_fields.near_miss(key, ["rule"]) or "; each rule begins with [[rule]]"
                self._fail(top_line_of(self.text, key), f"unknown key {_shown(key)}{hint}")
        tables = data.get("rule")
        if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
            line = top_line_of(self.text, "rule")
            self._fail(line, "contains no rule; each begins with [[rule]], in double brackets")
        if not 0 < len(tables) <= MAX_RULES:
            self._fail(None, f"contains {len(tables)} rules; 1 to {MAX_RULES} are allowed")
        rules = tuple(self._rule(index, table) for index, table in enumerate(tables))
        self._unique(rules)
        return rules

    def _rule(self, index: int, table: dict[str, Any]) -> Rule:
        values = {}
        self._require(index, table, ("name", "kind"))
        kind: RuleKind = self._value(index, table, "kind")
        self._known(index, table, kind)
        self._require(index, table, rule_fields.REQUIRED[kind])
        for key in table:
            if key in rule_fields.PLAIN:
                values[key] = self._value(index, table, key)
        unit = values.get("unit", RateUnit.SHARE)
        threshold, clear = self._bounds(index, table, kind, unit)
        renamed = {"for": "for_s", "detector": "detectors"}
        return Rule(
            threshold=threshold,
            clear=clear,
            **{"least": _DEFAULT_LEAST.get(kind, 0)}
            | {renamed.get(key, key): value for key, value in values.items()},
        )

    def _value(self, index: int, table: dict[str, Any], key: str) -> Any:
        try:
            return rule_fields.PLAIN[key](table[key])
        except FieldError as error:
            self._refuse(index, table, key, str(error))

    def _known(self, index: int, table: dict[str, Any], kind: RuleKind) -> None:
        allowed = rule_fields.KEYS[kind]
        for key in table:
            if key in allowed:
                continue
            if key in rule_fields.ALL_KEYS:
                problem = f"{key} does not apply to kind {kind.value!r}; remove it"
            else:
                hint = rule_fields.near_miss(key, allowed) or f"; known are {', '.join(allowed)}"
                problem = f"unknown key {_shown(key)}{hint}"
            self._fail_in(index, table, key, problem)

    def _require(self, index: int, table: dict[str, Any], keys: Iterable[str]) -> None:
        for key in keys:
            if key not in table:
                near = next((k for k in table if rule_fields.near_miss(k, [key])), None)
                hint = "" if near is None else f" (found {_shown(near)})"
                self._fail_in(index, table, near, f"has no {key}{hint}; add it")

    def _bounds(
        self, index: int, table: dict[str, Any], kind: RuleKind, unit: RateUnit
    ) -> tuple[float, float]:
        bounds = {}
        for key in ("threshold", "clear"):
            if key in table:
                try:
                    bounds[key] = rule_fields.threshold(table[key], kind, unit)
                except FieldError as error:
                    self._refuse(index, table, key, str(error))
        threshold = bounds.get("threshold", 0.0)
        clear = bounds.get("clear", threshold)
        if clear > threshold:
            problem = f"must not be above threshold ({threshold:g}): the alert ends at this value"
            self._refuse(index, table, "clear", problem)
        return threshold, clear

    def _unique(self, rules: tuple[Rule, ...]) -> None:
        seen: dict[str, int] = {}
        for index, rule in enumerate(rules):
            if rule.name in seen:
                first = line_of(self.text, seen[rule.name], "name")
                problem = f"has the same name as the rule in line {first}; rename it"
                self._fail_in(index, {"name": rule.name}, "name", problem)
            seen[rule.name] = index

    def _refuse(self, index: int, table: dict[str, Any], key: str, problem: str) -> NoReturn:
        self._fail_in(index, table, key, f"{key} = {_shown(table[key])} {problem}")

    def _fail_in(
        self, index: int, table: dict[str, Any], key: str | None, problem: str
    ) -> NoReturn:
        name = table.get("name")
        rule = f"rule {_shown(name)}" if isinstance(name, str) else f"rule {index + 1}"
        self._fail(line_of(self.text, index, key), f"{rule}: {problem}")

    def _fail(self, line: int | None, problem: str) -> NoReturn:
        where = self.source if line is None else f"{self.source} line {line}"
        raise ConfigError(f"{where}: {problem}.")


def _shown(value: Any) -> str:
    text = str(value).lower() if isinstance(value, bool) else repr(value)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[: _LONGEST_SHOWN - 1]}…"
