"""The state of each message and of each run."""
