"""Tells operators what should not happen, without a person's data."""

from uuid import UUID

from prometheus_client import Counter

from chassis.logs import get_logger
from contracts.events.run import RunAlarm
from status.domain.folding import Refusal

REFUSED = Counter(
    "textmanager_callbacks_refused", "Reports that were not the message's.", ["reason"]
)
UNMAPPED = Counter("textmanager_callbacks_unmapped", "Reports of a status that nobody knows.")
NOT_FOUND = Counter("textmanager_polls_not_found", "Accepted texts that Twilio doesn't know.")
ALARMS = Counter("textmanager_run_alarms", "Runs that somebody has to look at.", ["alarm"])


class LoggingWatch:
    """Logs and counts."""

    def refused(self, refusal: Refusal, *, message_id: UUID) -> None:
        """A report was not the message's."""
        REFUSED.labels(refusal).inc()
        get_logger().warning(
            "A report is not this message's; it changes nothing.",
            reason=str(refusal),
            message_id=str(message_id),
        )

    def unmapped(self, status: str) -> None:
        """Twilio reported a status that this version doesn't know."""
        UNMAPPED.inc()
        get_logger().error("Twilio reported a status that nobody knows.", status=status)

    def not_found(self, message_id: UUID) -> None:
        """Twilio doesn't know a text that it once accepted."""
        NOT_FOUND.inc()
        get_logger().error(
            "Twilio doesn't know a text that it accepted.", message_id=str(message_id)
        )

    def account_refused(self, organization_id: UUID) -> None:
        """Twilio can't be asked with an organisation's credentials."""
        get_logger().error(
            "Twilio can't be asked with an organisation's credentials; its messages wait.",
            organization_id=str(organization_id),
        )

    def alarmed(self, run_id: UUID, alarm: RunAlarm) -> None:
        """Somebody has to look at a run."""
        ALARMS.labels(alarm).inc()
        get_logger().error("A run raises an alarm.", run_id=str(run_id), reason=str(alarm))
