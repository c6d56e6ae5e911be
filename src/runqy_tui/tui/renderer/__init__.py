"""Output to the terminal: a cell-diffing frame encoder, a driver, and measuring of the link.

Textual writes every span that a widget marked dirty; most of it is on the screen already. Here a
:class:`~runqy_tui.tui.renderer.cell_frame.CellFrame` collects what Textual drew, and an
:class:`~runqy_tui.tui.renderer.encoder.Encoder`, which knows what the terminal shows, sends the
cells that differ. Nothing in this package knows runqy: any Textual app could use it.
"""
