"""What the benchmarks share: tables, servers with data, terminals."""
