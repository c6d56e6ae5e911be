"""Rules files: what is accepted, and what an error says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runqy_tui.alerts.rule import NamePatterns, RateUnit, Rule, RuleKind, format_span, parse_span
from runqy_tui.alerts.rule_file import MAX_BYTES, default_rules, load_rules, parse_rules
from runqy_tui.diagnosis.findings.registry import detectors
from runqy_tui.model.errors import ConfigError
from runqy_tui.model.severity import Severity

HEAD = '[[rule]]\nname = "r"\n'
DEPTH = f'{HEAD}kind = "queue-depth"\n'


def test_a_rule_of_each_kind() -> None:
    text = """
[[rule]]
name = "w"
kind = "worker-unhealthy"
severity = "critical"
for = "1m30s"
workers = ["gpu-*", "!gpu-9:*"]

[[rule]]
name = "d"
kind = "queue-depth"
threshold = 1_000
clear = 800
queues = "inference.*"

[[rule]]
name = "f"
kind = "failure-rate"
threshold = 0.5
unit = "per-second"
least = 3

[[rule]]
name = "s"
kind = "slow-tasks"
threshold = 12.5

[[rule]]
name = "x"
kind = "finding"
detector = "worker-lost"
at_least = "critical"
"""
    assert parse_rules(text, "f") == (
        Rule(
            "w",
            RuleKind.WORKER_UNHEALTHY,
            Severity.CRITICAL,
            for_s=90.0,
            workers=NamePatterns(("gpu-*", "!gpu-9:*")),
        ),
        Rule(
            "d",
            RuleKind.QUEUE_DEPTH,
            threshold=1000.0,
            clear=800.0,
            queues=NamePatterns(("inference.*",)),
        ),
        Rule(
            "f",
            RuleKind.FAILURE_RATE,
            threshold=0.5,
            clear=0.5,
            least=3,
            unit=RateUnit.PER_SECOND,
        ),
        Rule("s", RuleKind.SLOW_TASKS, threshold=12.5, clear=12.5, least=20),
        Rule(
            "x",
            RuleKind.FINDING,
            at_least=Severity.CRITICAL,
            detectors=NamePatterns(("worker-lost",)),
        ),
    )


def test_the_built_in_rules_are_the_four_of_the_guide_and_critical_findings() -> None:
    rules = default_rules()
    assert [rule.kind for rule in rules] == list(RuleKind)
    assert all(rule.for_s > 0 for rule in rules)
    found = rules[-1]
    assert (found.at_least, found.severity) == (Severity.CRITICAL, Severity.CRITICAL)
    assert found.detectors.match("queue-no-consumer")
    assert not found.detectors.match("worker-degraded")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "F: contains no rule; each begins with [[rule]], in double brackets."),
        ("rule = 1\n", "F line 1: contains no rule; each begins with [[rule]]"),
        ("rule = []\n", "F: contains 0 rules; 1 to 500 are allowed."),
        ('\n[rule]\nname = "r"\n', "F line 2: contains no rule; each begins with [[rule]]"),
        ("[[rules]]\n", "F line 1: unknown key 'rules'; did you mean 'rule'?."),
        ("\ninterval = 2\n" + DEPTH, "F line 2: unknown key 'interval'; each rule begins with"),
        ("[[rule]\n", "F is not valid TOML: "),
        (HEAD, "F line 1: rule 'r': has no kind; add it."),
        ('[[rule]]\nkind = "finding"\n', "F line 1: rule 1: has no name; add it."),
        (
            '[[rule]]\nnmae = "r"\nkind = "finding"\n',
            "F line 2: rule 1: has no name (found 'nmae'); add it.",
        ),
        (DEPTH, "F line 1: rule 'r': has no threshold; add it."),
        (DEPTH + "treshold = 5\n", "F line 4: rule 'r': unknown key 'treshold'; did you mean 'thr"),
        (DEPTH + "colour = 5\n", "unknown key 'colour'; known are name, kind, for, severity, thr"),
        (
            DEPTH + 'threshold = "many"\n',
            "F line 4: rule 'r': threshold = 'many' must be a number of tasks, 0 or more, as in",
        ),
        (DEPTH + "threshold = true\n", "threshold = true must be a number of tasks"),
        (DEPTH + "threshold = -1\n", "threshold = -1 must be a number of tasks"),
        (DEPTH + "threshold = nan\n", "threshold = nan must be a number of tasks"),
        (DEPTH + "threshold = inf\n", "threshold = inf must be a number of tasks"),
        (
            DEPTH + "threshold = 5\nclear = 6\n",
            "F line 5: rule 'r': clear = 6 must not be above threshold (5): the alert ends",
        ),
        (DEPTH + "threshold = 5\nleast = 2\n", "F line 5: rule 'r': least does not apply to kind"),
        (
            HEAD + 'kind = "queue_depth"\n',
            "F line 3: rule 'r': kind = 'queue_depth' must be one of worker-unhealthy, queue-depth,"
            " failure-rate, slow-tasks, finding; did you mean 'queue-depth'?.",
        ),
        (DEPTH + 'threshold = 5\nfor = "5 min"\n', "F line 5: rule 'r': for = '5 min' must be a"),
        (DEPTH + "threshold = 5\nfor = 30\n", "for = 30 must be a time of at most 30 days in quo"),
        (DEPTH + 'threshold = 5\nfor = "31d"\n', "for = '31d' must be a time of at most 30 days"),
        (
            DEPTH + 'threshold = 5\nseverity = "fatal"\n',
            "severity = 'fatal' must be one of warning, critical.",
        ),
        (DEPTH + "threshold = 5\nqueues = []\n", "queues = [] must be a list of patterns"),
        (
            DEPTH + "threshold = 5\nqueues = [1]\n",
            "queues = [1] must contain only patterns in quotes",
        ),
        (
            DEPTH + 'threshold = 5\nqueues = "[z-a]"\n',
            "queues = '[z-a]' has a reversed character range",
        ),
        (
            HEAD + 'kind = "failure-rate"\nthreshold = 20\n',
            "F line 4: rule 'r': threshold = 20 must be a share from 0 to 1, as in 0.2 for 20 %.",
        ),
        (HEAD + 'kind = "finding"\n', "F line 1: rule 'r': has no detector; add it."),
        (
            HEAD + 'kind = "finding"\ndetector = ["*", "!worker-lots"]\n',
            "names 'worker-lots', which is not a detector; did you mean 'worker-lost'?",
        ),
        (HEAD + 'kind = "finding"\ndetector = "*"\nthreshold = 1\n', "threshold does not apply to"),
        ('[[rule]]\nname = "a/b"\nkind = "finding"\ndetector = "*"', "F line 2: rule 'a/b': name"),
        (
            DEPTH + "threshold = 5\n" + DEPTH + "threshold = 6\n",
            "F line 6: rule 'r': has the same name as the rule in line 2; rename it.",
        ),
    ],
)
def test_errors_name_line_rule_value_and_fix(text: str, says: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_rules(text, "F")
    problem = str(caught.value)
    assert says in problem
    assert "\n" not in problem


def test_every_registered_detector_may_be_named() -> None:
    for one in detectors():
        text = f'[[rule]]\nname = "r"\nkind = "finding"\ndetector = "{one.id}"\n'
        assert [rule.detectors.patterns for rule in parse_rules(text, "F")] == [(one.id,)]


def test_the_line_of_the_right_rule_beside_long_values() -> None:
    text = '''# a comment
[[rule]]
name = "a"
kind = "queue-depth"
threshold = 5
queues = [
  "x", # [[rule]]
  "y",
]

[[rule]]
kind = "queue-depth"
name = """
b"""
threshold = "x"
'''
    with pytest.raises(ConfigError, match=r"F line 13: rule '\\?n?b': name|F line 15"):
        parse_rules(text, "F")
    with pytest.raises(ConfigError, match="F line 15: rule 'b': threshold = 'x'"):
        parse_rules(text.replace('"""\nb"""', '"""b\\\n"""'), "F")


def test_an_inline_rule_and_windows_line_ends() -> None:
    with pytest.raises(ConfigError, match="F line 2: rule 'i': has no threshold"):
        parse_rules('\r\nrule = [{name = "i", kind = "queue-depth"}]\r\n', "F")


def test_a_long_value_is_cut() -> None:
    with pytest.raises(ConfigError) as caught:
        parse_rules(f'{DEPTH}threshold = "{"x" * 5000}"\n', "F")
    assert len(str(caught.value)) < 300


def test_files(tmp_path: Path) -> None:
    path = tmp_path / "r.toml"
    with pytest.raises(ConfigError, match=r"r\.toml cannot be read: No such file"):
        load_rules(path)
    with pytest.raises(ConfigError, match="cannot be read: Is a directory"):
        load_rules(tmp_path)
    path.write_bytes(b"\xef\xbb\xbf" + DEPTH.encode() + b"threshold = 5\n")
    assert load_rules(path)[0].threshold == 5
    path.write_bytes(DEPTH.encode() + b"# \xff\n")
    with pytest.raises(ConfigError, match=r"r\.toml line 4: not valid UTF-8"):
        load_rules(path)
    path.write_bytes(b"#" * (MAX_BYTES + 1))
    with pytest.raises(ConfigError, match="larger than 256 KiB"):
        load_rules(path)


def problem_of(text: str) -> str | None:
    """What is wrong with the text, ``None`` where nothing is."""
    try:
        parse_rules(text, "F")
    except ConfigError as error:
        return str(error)
    return None


@given(st.text(max_size=200))
def test_any_text_is_rules_or_one_line_of_error(text: str) -> None:
    assert (problem_of(text) or "F").startswith("F")


KEY = st.sampled_from(
    ["name", "kind", "for", "severity", "threshold", "clear", "queues", "least", "unit", "odd"]
)
VALUE = st.sampled_from(
    [
        '"a"',
        '"queue-depth"',
        '"failure-rate"',
        '"5m"',
        "1",
        "0.5",
        "true",
        "[]",
        '["*"]',
        "{}",
        "nan",
    ]
)


@given(st.lists(st.dictionaries(KEY, VALUE, max_size=6), max_size=4))
def test_any_rules_are_accepted_or_the_line_is_named(rules: list[dict[str, str]]) -> None:
    lines = []
    for rule in rules:
        lines += ["[[rule]]", *(f"{key} = {value}" for key, value in rule.items())]
    problem = problem_of("\n".join(lines))
    if problem is None or not rules:
        assert rules or problem is not None
        return
    found = re.match(r"F line (\d+): rule .*?: (?:(\w+) = )?", problem)
    assert found is not None, problem
    if found[2] is not None:
        assert lines[int(found[1]) - 1].startswith(f"{found[2]} = ")


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("30s", 30), ("5m", 300), ("1h30m", 5400), ("250ms", 0.25), ("1.5s", 1.5), ("2d", 172_800)],
)
def test_spans(text: str, seconds: float) -> None:
    assert parse_span(text) == seconds
    assert parse_span(format_span(seconds)) == seconds


@pytest.mark.parametrize("text", ["", "5", "s", "5 s", "-5s", "5S", "5s ", "1e3s", "٣s", "5s5"])
def test_no_spans(text: str) -> None:
    assert parse_span(text) is None
