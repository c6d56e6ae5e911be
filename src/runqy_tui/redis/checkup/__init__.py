"""What ``doctor`` and ``acl`` say: every command that is needed, and what stands in the way."""
