"""What was seen over several polls: history of counts, task durations, samples of listed tasks."""
