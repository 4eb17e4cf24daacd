"""What was written to iMIS."""
