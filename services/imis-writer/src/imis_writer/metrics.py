"""What the imis-writer tells Prometheus."""

from prometheus_client import Counter

ACTIVITIES = Counter("textmanager_activities", "What became of activities.", ["state"])
