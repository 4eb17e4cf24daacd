"""Tells operators what members ask for and what can't be believed, without a person's data."""

from uuid import UUID

from prometheus_client import Counter

from chassis.logs import get_logger
from consent.domain.texts import Unplaced
from consent.domain.words import Asks

HEARD = Counter("textmanager_texts_heard", "Members' texts, by what they ask for.", ["asks"])
UNPLACED = Counter(
    "textmanager_texts_set_aside", "Texts that the settings don't account for.", ["reason"]
)
MALFORMED = Counter("textmanager_texts_malformed", "Texts without a sender's number.")


class LoggingWatch:
    """Logs and counts."""

    def unplaced(self, reason: Unplaced, *, organization_id: UUID) -> None:
        """A text was set aside."""
        UNPLACED.labels(reason.value).inc()
        get_logger().warning(
            "A text is set aside until the organisation's settings account for it.",
            reason=reason.value,
            organization_id=str(organization_id),
        )

    def malformed(self, *, organization_id: UUID) -> None:
        """A text names no number that could have sent it."""
        MALFORMED.inc()
        get_logger().warning(
            "A text has no sender's number; it is ignored.", organization_id=str(organization_id)
        )

    def heard(self, asks: Asks) -> None:
        """A member's text was understood."""
        HEARD.labels(asks.value).inc()
