"""The projections' outside."""
