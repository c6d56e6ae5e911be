"""``runqy-tui doctor``: everything that the monitor needs, looked at line by line."""
