"""What the monitor is compared with: programs that run on a terminal of their own."""
