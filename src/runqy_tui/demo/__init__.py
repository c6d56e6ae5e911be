"""A simulated fleet on a private embedded server."""
