"""What programs wrote into Redis, read without trust."""
