"""The checks of ``doctor`` and the rules of ``acl``: every command needed, and what prevents it."""
