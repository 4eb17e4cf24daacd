"""Owns the send ledger: one row a message, from queued to submitted; and the limits."""
