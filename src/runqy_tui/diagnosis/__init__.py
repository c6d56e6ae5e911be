"""What is wrong, since when and why: findings, error signatures and the assessment of a poll."""
