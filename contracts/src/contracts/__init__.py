"""The events, topics and ids that the services agree on; pure, no I/O."""
