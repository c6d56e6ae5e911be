"""Alert rules: what they are, how they are read, and when they fire."""
