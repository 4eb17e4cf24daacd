"""What the read models answer."""

from readmodels.views.figures import (
    ChargeBucket,
    QueuedView,
    UsageView,
)
from readmodels.views.members import (
    ActivityView,
    HeldActivities,
    OptOutView,
    ReviewView,
)
from readmodels.views.runs import (
    ErrorCount,
    HeldView,
    HourCount,
    MessageView,
    RunLedger,
    RunProgress,
    RunView,
    SkippedView,
    StatusCount,
    UnknownView,
)
from readmodels.views.words import (
    ActivityState,
    ChargeOutcome,
    RowStatus,
    RunKind,
    RunState,
    View,
)

__all__ = [
    "ActivityState",
    "ActivityView",
    "ChargeBucket",
    "ChargeOutcome",
    "ErrorCount",
    "HeldActivities",
    "HeldView",
    "HourCount",
    "MessageView",
    "OptOutView",
    "QueuedView",
    "ReviewView",
    "RowStatus",
    "RunKind",
    "RunLedger",
    "RunProgress",
    "RunState",
    "RunView",
    "SkippedView",
    "StatusCount",
    "UnknownView",
    "UsageView",
    "View",
]
