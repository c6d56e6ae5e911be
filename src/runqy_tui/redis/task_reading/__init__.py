"""Tasks one by one: lists of them, one in full, and whether what is listed is really there."""
