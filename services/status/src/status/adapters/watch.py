"""Tells operators what should not happen, without a person's data."""

from uuid import UUID

from prometheus_client import Counter

from chassis.logs import get_logger
from status.domain.message import Refusal

REFUSED = Counter(
    "textmanager_callbacks_refused", "Reports that were not the message's.", ["reason"]
)
UNMAPPED = Counter("textmanager_callbacks_unmapped", "Reports of a status that nobody knows.")
NOT_ADDING_UP = Counter("textmanager_runs_not_adding_up", "Contradictions to a run's totals.")


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

    def does_not_add_up(self, run_id: UUID) -> None:
        """What was counted contradicts the totals that the audience told."""
        NOT_ADDING_UP.inc()
        get_logger().error("A run's facts contradict its totals.", run_id=str(run_id))
