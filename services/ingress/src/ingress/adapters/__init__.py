"""The ingress's outside."""
