"""The audience service's tables, revision by revision, as `textmanager migrate` runs them."""
