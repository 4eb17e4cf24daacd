"""The status service's tables, revision by revision, as `textmanager migrate` runs them."""
