"""The way to a Redis: the URL, TLS, and whether it can be reached at all."""
