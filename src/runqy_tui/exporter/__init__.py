"""``runqy-tui metrics``: exports the last poll to Prometheus. No terminal library."""
