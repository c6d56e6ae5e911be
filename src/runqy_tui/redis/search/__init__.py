"""Searching tasks for a text, list by list, in steps that no other client of Redis notices."""
