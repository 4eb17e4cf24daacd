"""The scheduler's tables, revision by revision, as `textmanager migrate` runs them."""
