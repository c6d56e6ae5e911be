"""``runqy-tui metrics``: what the polls saw, for Prometheus. No terminal library."""
