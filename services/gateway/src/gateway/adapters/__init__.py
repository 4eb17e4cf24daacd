"""The gateway's outside."""
