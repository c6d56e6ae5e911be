"""``runqy-tui rules``: write a rules file, validate one, export it to Prometheus and Grafana."""

from __future__ import annotations

from pathlib import Path

from runqy_tui.alerts.rule_file import default_rules, load_rules, template
from runqy_tui.commands.stdout import emit
from runqy_tui.model.errors import CannotCreateError
from runqy_tui.text.safe import safe_line


def init(path: Path) -> None:
    """Write the commented rules file; an existing file is not overwritten.

    Raises:
        CannotCreateError: the file exists or cannot be written.
    """
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(template())
    except FileExistsError:
        problem = f"{path} exists; not overwritten. Give another name."
        raise CannotCreateError(problem) from None
    except OSError as error:
        raise CannotCreateError(f"{path} cannot be written: {error.strerror}.") from None
    name = safe_line(str(path))
    emit(f"Wrote {name}. Try: runqy-tui check --rules {name}")


def validate(path: Path) -> None:
    """Validate a file and print the number of its rules.

    Raises:
        ConfigError: the file is invalid.
    """
    number = len(load_rules(path))
    emit(f"{safe_line(str(path))}: {number} rule{'' if number == 1 else 's'}, all valid.")


def prometheus(path: Path | None) -> None:
    """Print rules for Prometheus; ``None`` means the built-in rules.

    Raises:
        ConfigError: the file is invalid.
    """
    from runqy_tui.alerts.rule_exports import rule_file

    emit(rule_file(default_rules() if path is None else load_rules(path)).rstrip("\n"))


def grafana() -> None:
    """Print a dashboard for Grafana."""
    from runqy_tui.alerts.rule_exports import dashboard

    emit(dashboard())
