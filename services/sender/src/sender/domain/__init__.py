"""The sender's rules; pure."""
