"""A cluster as one link: its nodes, its slots, and who is asked what."""
