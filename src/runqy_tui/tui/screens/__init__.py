"""Screens and modals, each with its stylesheet beside it."""
