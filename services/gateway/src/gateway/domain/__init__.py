"""What the gateway decides, without a clock, a database or a network."""
