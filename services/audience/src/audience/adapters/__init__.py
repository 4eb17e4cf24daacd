"""The audience service's outside: SQL and iMIS."""
