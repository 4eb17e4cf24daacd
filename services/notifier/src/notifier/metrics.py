"""What the notifier tells Prometheus."""

from prometheus_client import Counter

MAILS = Counter("textmanager_mails", "What became of mails.", ["kind", "state"])
"""`no_address` counts what nobody could be told for lack of an address."""
