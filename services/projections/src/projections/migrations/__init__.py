"""The read models' tables, revision by revision, as `textmanager migrate` runs them."""
