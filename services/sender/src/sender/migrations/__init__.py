"""The sender's tables, revision by revision, as `textmanager migrate` runs them."""
