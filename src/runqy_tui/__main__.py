"""``python -m runqy_tui``."""

from runqy_tui.cli import main

main()
