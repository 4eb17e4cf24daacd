"""What the ingress tells Prometheus."""

from prometheus_client import Counter

TAKEN = Counter("textmanager_webhooks_taken", "Webhooks kept.", ["kind", "kept_in"])
REFUSED = Counter("textmanager_webhooks_refused", "Webhooks refused.", ["reason"])
