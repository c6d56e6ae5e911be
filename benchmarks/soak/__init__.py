"""The monitor for hours: a demo at many times its speed, an operator, and faults."""
