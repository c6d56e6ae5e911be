"""Runs the monitor for hours on an accelerated demo, with a simulated operator and faults."""
