"""The ways to read a whole fleet that ``benchmarks.poll`` compares."""
