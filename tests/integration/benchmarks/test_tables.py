"""Figures become tables: medians, and ratios within a run."""

from __future__ import annotations

from benchmarks.kit.tables import Column, Table

MS = (Column("ms", "ms"), Column("bytes", "B", 0, ratio=False), Column("never", "never"))


def table() -> Table:
    made = Table("Polls", MS, "floor")
    for connection, ours in ((1.0, 3.0), (10.0, 20.0), (2.0, 3.0)):  # the machine was busy once
        made.add("floor", ms=connection, bytes=1_000)
        made.add("ours", ms=ours)
    return made


def test_a_ratio_is_the_median_of_the_ratios_of_each_run() -> None:
    made = table()
    assert made.median("ours", "ms") == 3.0
    assert made.median("floor", "ms") == 2.0
    assert made.ratio("ours", "ms") == 2.0
    assert made.ratio("ours", "bytes") is None


def test_a_table_for_documents() -> None:
    lines = table().markdown().splitlines()
    assert lines[0] == "**Polls** (× floor)"
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]
    assert [cells[0], *cells[2:]] == [
        ["", "ms", "B"],
        ["floor", "2.0", "1,000"],
        ["ours", "3.0 (2.00 ×)", "–"],
    ]
    assert len({len(line) for line in lines[2:]}) == 1


def test_every_value_is_kept() -> None:
    figures = table().as_json()
    assert figures["rows"]["ours"]["ms"] == {  # type: ignore[index]
        "values": [3.0, 20.0, 3.0],
        "median": 3.0,
        "ratio": 2.0,
    }
