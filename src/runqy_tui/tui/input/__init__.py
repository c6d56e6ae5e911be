"""Keys: bindings that work everywhere, their names in the configuration, and their order."""
