"""Each topic: who writes it, who reads it, how many partitions, how long it is kept.

Fact topics are kept for ever and not compacted, so that every figure can be rebuilt from them.
"""

from dataclasses import dataclass, field

FOREVER = {"retention.ms": "-1", "cleanup.policy": "delete", "max.message.bytes": "1048588"}
NEWEST = {"cleanup.policy": "compact", "max.message.bytes": "1048588"}
TWO_WEEKS = {"retention.ms": str(14 * 24 * 3_600_000), "cleanup.policy": "delete"}
DEAD = FOREVER | {"max.message.bytes": str(2 * 1024 * 1024)}


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic as the broker must have it; the key is always the event's subject."""

    name: str
    producer: str
    consumers: tuple[str, ...]
    key: str
    partitions: int = 6
    config: dict[str, str] = field(default_factory=lambda: dict(FOREVER))


TOPICS: tuple[Topic, ...] = (
    Topic(
        "organization.settings",
        "gateway",
        ("scheduler", "audience", "sender", "imis-writer", "ingress"),
        "organization",
        1,
        dict(NEWEST),
    ),
    Topic("campaign.lifecycle", "gateway", ("scheduler", "projections"), "campaign", 3),
    Topic("campaign.due", "scheduler", ("audience", "projections"), "run", 3),
    Topic("audience.preview-requested", "gateway", ("audience",), "preview", 3, dict(TWO_WEEKS)),
    Topic("audience.previewed", "audience", ("gateway",), "preview", 3, dict(TWO_WEEKS)),
    Topic("recipients.resolved", "audience", ("sender", "status", "projections"), "run"),
    Topic("recipient.rejected", "audience", ("status", "projections"), "recipient"),
    Topic("message.queued", "sender", ("status", "imis-writer", "projections"), "message"),
    Topic("recipient.excluded", "sender", ("status", "projections"), "message"),
    Topic("message.submitted", "sender", ("status", "projections"), "message"),
    Topic("twilio.callbacks", "ingress", ("sender", "status"), "message"),
    Topic("twilio.inbound", "ingress", (), "inbound text", 3),
    Topic("message.status-changed", "status", ("imis-writer", "projections"), "message"),
    Topic("run.lifecycle", "status", ("gateway", "projections"), "run", 3),
    Topic("activity.written", "imis-writer", ("projections",), "message"),
    Topic("dead-letters", "every service", (), "the failed record's", 1, dict(DEAD)),
)

BY_NAME: dict[str, Topic] = {topic.name: topic for topic in TOPICS}
DEAD_LETTERS = "dead-letters"
