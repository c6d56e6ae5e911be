"""The overview: what a poll reads of workers and queues, and what is remembered between polls."""
