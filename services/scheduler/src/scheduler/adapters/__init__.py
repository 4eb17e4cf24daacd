"""The scheduler's outside."""
