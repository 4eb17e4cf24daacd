"""The imis-writer's tables, revision by revision, as `textmanager migrate` runs them."""
