"""The consent service's outside."""
