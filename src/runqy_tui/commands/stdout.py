"""Standard output of the one-shot commands."""

from __future__ import annotations

import json
import os
import sys

from runqy_tui.model.errors import OutputError
from runqy_tui.text import terminal_encoding
from runqy_tui.text.safe import few_marks


def emit(what: object) -> None:
    """Write text, or an object as JSON, to standard output.

    Raises:
        OutputError: it is closed, or its disk is full.
        BrokenPipeError: its reader went away.
    """
    if sys.stdout is None:
        raise OutputError("Standard output is closed: there is nowhere to print to.")
    if isinstance(what, str):
        encoding = sys.stdout.encoding
        if sys.stdout.isatty():
            encoding = terminal_encoding.of_terminal(encoding, os.environ)
        text = terminal_encoding.for_encoding(few_marks(what), encoding)
    else:
        text = json.dumps(what, indent=2, allow_nan=False)
    try:
        sys.stdout.write(text + "\n")
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OutputError(f"Standard output cannot be written: {error.strerror}.") from None
