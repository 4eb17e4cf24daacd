"""Every feature, end to end, by its id."""
