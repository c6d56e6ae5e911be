"""Use of the process: cooperative scheduling on the event loop, garbage collection."""
