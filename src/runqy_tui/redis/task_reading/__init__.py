"""Reads tasks: pages of a list, one task in full, and checks of listed tasks."""
