"""What Rich and Textual keep of what was drawn is dropped."""

from __future__ import annotations

from rich.segment import Segment
from textual._styles_cache import StylesCache

from runqy_tui.tui.renderer.cache_cleanup import forget_drawn


def test_the_pieces_of_cut_texts_are_dropped() -> None:
    Segment("a text that is cut …").split_cells(3)
    kept = Segment._split_cells.cache_info
    assert kept().currsize > 0
    forget_drawn()
    assert kept().currsize == 0
    assert StylesCache.get_inner_outer.cache_info().currsize == 0
