"""What the networks hear."""
