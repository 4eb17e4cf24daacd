"""The imis-writer's outside."""
