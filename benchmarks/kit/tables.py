"""Figures of several runs as one table: medians, and ratios to a baseline of the same run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median, quantiles

UNKNOWN = "–"


@dataclass(frozen=True, slots=True)
class Column:
    """One figure of a table: its name, its title with the unit, and how it is written.

    ``ratio``: whether it is compared with the baseline's.
    """

    key: str
    title: str
    digits: int = 1
    ratio: bool = True


class Table:
    """Rows by label, in the order in which they came; each holds one value a run and column."""

    def __init__(self, title: str, columns: Sequence[Column], baseline: str | None = None) -> None:
        self.title = title
        self.columns = tuple(columns)
        self.baseline = baseline
        self.values: dict[str, dict[str, list[float | None]]] = {}

    def add(self, label: str, **figures: float | None) -> None:
        """Take the figures of one run; ``None`` or absent: not measured."""
        row = self.values.setdefault(label, {column.key: [] for column in self.columns})
        for column in self.columns:
            row[column.key].append(figures.get(column.key))

    def median(self, label: str, key: str) -> float | None:
        """The middle one of what was measured."""
        known = [value for value in self.values[label][key] if value is not None]
        return median(known) if known else None

    def ratio(self, label: str, key: str) -> float | None:
        """How many times the baseline's: the median of the runs' own ratios.

        A machine that slows down for a while slows down both sides of a run.
        """
        if self.baseline is None or self.baseline not in self.values:
            return None
        pairs = zip(self.values[label][key], self.values[self.baseline][key], strict=False)
        ratios = [ours / theirs for ours, theirs in pairs if ours is not None and theirs]
        return median(ratios) if ratios else None

    def cells(self, label: str) -> list[str]:
        """One row as text."""
        return [label, *(self._cell(label, column) for column in self.columns)]

    def _cell(self, label: str, column: Column) -> str:
        value = self.median(label, column.key)
        if value is None:
            return UNKNOWN
        text = f"{value:,.{column.digits}f}"
        ratio = self.ratio(label, column.key) if column.ratio else None
        return text if ratio is None or label == self.baseline else f"{text} ({ratio:.2f} ×)"

    def markdown(self) -> str:
        """The whole table, as documents hold it; columns without a value are left out."""
        as_text = [
            place
            for place, column in enumerate(self.columns)
            if any(self.median(label, column.key) is not None for label in self.values)
        ]
        rows = [["", *(self.columns[place].title for place in as_text)]]
        for label in self.values:
            cells = self.cells(label)
            rows.append([cells[0], *(cells[place + 1] for place in as_text)])
        widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
        lines = [_line(row, widths) for row in rows]
        lines.insert(
            1, _line(["-" * widths[0], *("-" * (w - 1) + ":" for w in widths[1:])], widths)
        )
        compared = f" (× {self.baseline})" if self.baseline in self.values else ""
        return "\n".join([f"**{self.title}**{compared}", "", *lines])

    def as_json(self) -> dict[str, object]:
        """Every value, the medians and the ratios."""
        return {
            "title": self.title,
            "baseline": self.baseline,
            "columns": {column.key: column.title for column in self.columns},
            "rows": {
                label: {
                    column.key: {
                        "values": row[column.key],
                        "median": self.median(label, column.key),
                        "ratio": self.ratio(label, column.key) if column.ratio else None,
                    }
                    for column in self.columns
                }
                for label, row in self.values.items()
            },
        }


def percentile(values: Sequence[float | None], which: int) -> float | None:
    """Percentile of the values that are known; ``None`` where fewer than two are."""
    known = [value for value in values if value is not None]
    return quantiles(known, n=100, method="inclusive")[which - 1] if len(known) > 1 else None


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    first = cells[0].ljust(widths[0])
    rest = (cell.rjust(width) for cell, width in zip(cells[1:], widths[1:], strict=True))
    return "| " + " | ".join([first, *rest]) + " |"
