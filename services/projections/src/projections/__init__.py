"""The read models, each rebuildable from the log."""
