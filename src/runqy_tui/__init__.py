"""runqy-tui: the terminal monitor for the runqy task queue."""

__version__ = "0.1.0"
