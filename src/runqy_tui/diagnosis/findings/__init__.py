"""Diagnoses: what is wrong, since when, why, and what to do. Pure functions over the store."""
