"""Workers, queues and tasks as table rows: columns are data, cells are pure functions."""
