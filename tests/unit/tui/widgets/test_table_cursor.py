"""The selection belongs to a key: no change of the rows selects another one."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from runqy_tui.tui.widgets.row_provider import Cell, ListRows
from runqy_tui.tui.widgets.table_cursor import CursorChange, CursorState, TableCursor


def rows(keys: str) -> ListRows[str]:
    return ListRows(keys, str, lambda item, column: Cell(item + column))


def test_list_rows_answer_by_index_and_by_key() -> None:
    given_rows = rows("abca")
    assert len(given_rows) == 4
    assert given_rows.key(1) == "b"
    assert given_rows.item(2) == "c"
    assert given_rows.cells(1, ["x", "y"]) == (Cell("bx"), Cell("by"))
    assert given_rows.index_of("a") == 0
    assert given_rows.index_of("z") is None


def test_steps_from_a_gone_row() -> None:
    for delta, key in [(1, "c"), (-1, "a"), (2, "d"), (-5, "a"), (9, "d")]:
        cursor = TableCursor()
        cursor.follow(rows("abcd"))
        cursor.move(1)
        assert cursor.follow(rows("acd")) is CursorChange.GONE
        assert (cursor.state, cursor.key, cursor.gone_key, cursor.index) == (
            CursorState.GONE,
            None,
            "b",
            1,
        )
        assert not cursor.visible
        assert cursor.step(delta) is CursorChange.SELECTED
        assert cursor.key == key


def test_an_empty_table_selects_nothing() -> None:
    cursor = TableCursor()
    assert cursor.follow(rows("")) is CursorChange.NONE
    assert cursor.step(1) is CursorChange.NONE
    assert cursor.key is None
    assert cursor.follow(rows("a")) is CursorChange.SELECTED
    assert cursor.follow(rows("")) is CursorChange.GONE
    assert cursor.follow(rows("b")) is CursorChange.NONE
    assert cursor.key is None


@settings(deadline=None)
@given(
    st.lists(
        st.one_of(
            st.lists(st.sampled_from("abcdefgh"), unique=True).map("".join),
            st.integers(-3, 3),
        ),
        max_size=30,
    )
)
def test_only_moving_selects_another_key(steps: list[str | int]) -> None:
    cursor = TableCursor()
    present = ""
    wanted: str | None = None
    for step in steps:
        if isinstance(step, str):
            first = cursor.state is CursorState.EMPTY
            present = step
            cursor.follow(rows(present))
            if first and present:
                wanted = present[0]
        elif present:
            cursor.step(step)
            wanted = str(cursor.key)
            assert wanted == present[cursor.index]
        assert cursor.key == (wanted if wanted is not None and wanted in present else None)
        if cursor.key is not None:
            assert present[cursor.index] == cursor.key
