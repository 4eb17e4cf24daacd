"""What a service tells Prometheus."""

from prometheus_client import Counter, Gauge, Histogram

HANDLED = Counter("textmanager_events_handled", "Events handled.", ["subscription", "type"])
RETRIED = Counter("textmanager_batches_retried", "Batches tried again.", ["subscription"])
DEAD_LETTERED = Counter(
    "textmanager_events_dead_lettered", "Events given up.", ["subscription", "reason"]
)
BATCH_SECONDS = Histogram(
    "textmanager_batch_seconds",
    "How long a batch took, from decoded to committed.",
    ["subscription"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)
LAG = Gauge("textmanager_consumer_lag", "Records not yet read.", ["subscription", "topic"])
PUBLISHED = Counter("textmanager_events_published", "Events published.", ["topic"])
OUTBOX_WAITING = Gauge("textmanager_outbox_waiting", "Rows read by the relay, not yet published.")
WORKER_STEPS = Counter("textmanager_worker_steps", "Steps of slow work.", ["worker", "result"])
