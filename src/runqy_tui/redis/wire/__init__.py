"""What goes over a connection: commands in batches, their replies, and failures."""
