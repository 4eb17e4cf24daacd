"""What the ingress tells Prometheus."""

from prometheus_client import Counter

TAKEN = Counter("textmanager_webhooks_taken", "Webhooks kept.", ["kind", "kept_in"])
REFUSED = Counter("textmanager_webhooks_refused", "Webhooks refused.", ["reason"])
CAUGHT_UP = Counter("textmanager_texts_caught_up", "Texts found at Twilio that no webhook told.")
LISTS_READ = Counter("textmanager_text_lists_read", "Readings of Twilio's lists.", ["result"])
