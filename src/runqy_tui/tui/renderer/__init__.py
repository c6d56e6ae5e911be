"""What a terminal shows, and the fewest bytes that make it show something else.

Textual writes every span that a widget marked dirty; most of it is on the screen already. Here a
:class:`~runqy_tui.tui.renderer.cell_frame.CellFrame` takes what Textual drew, and an
:class:`~runqy_tui.tui.renderer.encoder.Encoder`, which remembers what the terminal shows, sends the
cells that differ. Nothing in this folder knows runqy: any Textual app could use it.
"""
