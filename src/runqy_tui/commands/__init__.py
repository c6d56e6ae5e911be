"""One-shot commands: JSON and plain tables, without a terminal library."""
