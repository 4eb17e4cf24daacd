"""Each topic: who writes it, who reads it, how many partitions, how long it is kept.

Fact topics are kept for ever and not compacted, so that every figure can be rebuilt from them.
"""

from dataclasses import dataclass, field

FOREVER = {"retention.ms": "-1", "cleanup.policy": "delete", "max.message.bytes": "1048588"}
NEWEST = {"cleanup.policy": "compact", "max.message.bytes": "1048588"}
TWO_WEEKS = {"retention.ms": str(14 * 24 * 3_600_000), "cleanup.policy": "delete"}
DEAD = FOREVER | {"max.message.bytes": str(2 * 1024 * 1024)}

SERVICES = (
    "gateway",
    "scheduler",
    "audience",
    "sender",
    "status",
    "imis-writer",
    "ingress",
    "consent",
    "projections",
    "notifier",
)
OPERATORS = "operators' tools"


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
        (
            "scheduler",
            "audience",
            "sender",
            "status",
            "imis-writer",
            "ingress",
            "consent",
            "notifier",
        ),
        "organization",
        1,
        dict(NEWEST),
    ),
    Topic(
        "campaign.lifecycle",
        "gateway",
        ("scheduler", "sender", "status", "projections", "notifier"),
        "campaign",
        3,
    ),
    Topic("campaign.due", "scheduler", ("audience", "projections", "notifier"), "run", 3),
    Topic("audience.uploads", "gateway", ("audience",), "upload", 3),
    Topic("audience.preview-requested", "gateway", ("audience",), "preview", 3, dict(TWO_WEEKS)),
    Topic("audience.previewed", "audience", ("gateway",), "preview", 3, dict(TWO_WEEKS)),
    Topic("recipients.resolved", "audience", ("sender", "status", "projections"), "run"),
    Topic("recipient.rejected", "audience", ("status", "projections"), "recipient"),
    Topic("audience.awaited", "audience", ("projections", "notifier"), "run", 1),
    Topic("message.requested", "gateway", ("sender", "status", "projections"), "message", 3),
    Topic("reply.requested", "consent", ("sender", "status", "projections"), "message", 3),
    Topic("message.queued", "sender", ("status", "imis-writer", "projections"), "message"),
    Topic("message.held", "sender", ("status", "projections"), "message"),
    Topic("recipient.excluded", "sender", ("status", "imis-writer", "projections"), "message"),
    Topic("message.submitted", "sender", ("status", "projections"), "message"),
    Topic("twilio.callbacks", "ingress", ("sender", "status"), "message"),
    Topic("twilio.inbound", "ingress", ("consent",), "inbound text", 3),
    Topic("twilio.polled", "status", ("status",), "message", 3),
    Topic(
        "consent.changed",
        "consent",
        ("sender", "audience", "imis-writer", "projections"),
        "pair of numbers",
        3,
    ),
    Topic("consent.reviews", "consent", ("projections", "notifier"), "inbound text", 3),
    Topic("consent.commands", "gateway", ("consent",), "decision", 3),
    Topic(
        "message.status-changed",
        "status",
        ("imis-writer", "consent", "projections", "notifier"),
        "message",
    ),
    Topic("message.decisions", "gateway", ("sender",), "message", 3),
    Topic("run.lifecycle", "status", ("gateway", "projections", "notifier"), "run", 3),
    Topic("run.commands", "gateway", ("sender",), "run", 3),
    Topic("run.held", "sender", ("gateway", "projections", "notifier"), "run", 3),
    Topic("run.resent", "sender", ("status", "projections", "notifier"), "run", 3),
    Topic("activity.commands", "gateway", ("imis-writer",), "run", 3),
    Topic("activity.written", "imis-writer", ("projections", "notifier"), "message"),
    Topic("activities.held", "imis-writer", ("projections", "notifier"), "organization", 1),
    Topic("dead-letters", "every service", (), "the failed record's", 1, dict(DEAD)),
    Topic("dead-letters.decisions", OPERATORS, (), "dead letter", 1),
    *(
        Topic(f"retry.{name}", OPERATORS, (name,), "the record's", 1, dict(DEAD))
        for name in SERVICES
    ),
)

BY_NAME: dict[str, Topic] = {topic.name: topic for topic in TOPICS}
DEAD_LETTERS = "dead-letters"
DEAD_LETTER_DECISIONS = "dead-letters.decisions"


def retry_topic(service: str) -> str:
    """Return the topic by which operators hand a service a record once more."""
    return f"retry.{service}"
