"""Searches tasks for a text, list by list, in steps too small to disturb other clients."""
