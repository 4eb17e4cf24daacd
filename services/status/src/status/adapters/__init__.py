"""The status service's outside."""
